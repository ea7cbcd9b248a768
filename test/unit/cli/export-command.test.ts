import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../src/cli/command-context.js';
import { addExportCommand } from '../../../src/cli/export-command.js';
import { writeTowers } from '../../../src/training/export/tower-file.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';
import {
  difference,
  ENCODER,
  FEEDS,
  GIVEN,
  mapped,
  run,
  writeModel,
} from '../training/export/folded-encoder.js';
import { randomTower } from '../training/export/random-tower.js';

/** Runs the command in this process; gives what it prints. */
async function granule(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const context = {
    signal: new AbortController().signal,
    print: (text: string) => printed.push(text),
  } as unknown as CommandContext;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addExportCommand(program, context);
  await program.parseAsync(args, { from: 'user' });
  return printed.join('\n');
}

describe('granule export', () => {
  it('writes a model with the tower in it, and says what it gives', async () => {
    const folder = temporaryFolder();
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const [adapter, to] = [join(folder, 'adapter.safetensors'), join(folder, 'adapted.onnx')];
    const query = await randomTower({ kind: 'linear', input: GIVEN, output: 3 }, 'query');
    const document = await randomTower({ kind: 'low-rank', dimension: GIVEN, rank: 2 }, 'document');
    await writeTowers(adapter, { query, document });
    const plain = await run(model, FEEDS);
    const base = ['export', adapter, '--model', model, '--to', to];

    const text = await granule(...base, '--side', 'query', '--output', 'embedding', '--name', 'adapted');
    const bytes = statSync(to).size;
    expect(text).toBe(
      `${to} gives vectors of 3 numbers as 'adapted' (from 'embedding'; operators of version 13, ${bytes} bytes)`,
    );
    expect(
      difference((await run(to, FEEDS))['adapted'], await mapped(plain['embedding']!, query)),
    ).toBeLessThan(1e-5);

    const json = JSON.parse(
      await granule(...base, '--side', 'document', '--output', 'tokens', '--no-normalise', '--json'),
    );
    expect(json).toEqual({
      output: 'tokens',
      name: 'tokens',
      columns: GIVEN,
      operatorSet: 13,
      bytes: statSync(to).size,
      file: to,
    });
    const unnormalised = await mapped(plain['tokens']!, document, false);
    expect(difference((await run(to, FEEDS))['tokens'], unnormalised)).toBeLessThan(1e-5);

    await granule(...base, '--side', 'query', '--pooling', 'cls');
    expect(Object.keys(await run(to, FEEDS))).toEqual([...Object.keys(plain), 'sentence_embedding']);
  });

  it('refuses an adapter of two towers without a side, a side that it lacks, and wrong usage', async () => {
    const folder = temporaryFolder();
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const [both, one] = [join(folder, 'both.safetensors'), join(folder, 'one.safetensors')];
    const query = await randomTower({ kind: 'linear', input: GIVEN, output: 3 });
    await writeTowers(both, { query, document: query });
    await writeTowers(one, { query });
    const rest = ['--model', model, '--to', join(folder, 'adapted.onnx'), '--output', 'tokens'];
    await expect(granule('export', both, ...rest)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('choose one by --side'),
    });
    await expect(granule('export', one, ...rest, '--side', 'document')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('no tower of the document side'),
    });
    for (const args of [[one], [one, ...rest, '--side', 'left'], [one, ...rest, '--pooling', 'last']]) {
      await expect(granule('export', ...args)).rejects.toMatchObject({ name: 'CommanderError' });
    }
    expect(readdirSync(folder).sort()).toEqual(['both.safetensors', 'encoder.onnx', 'one.safetensors']);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Corpus } from '../../src/corpus/corpus.js';
import { flagPath } from '../../src/demo/countries/flag-images.js';
import { buildPackage, runScript } from './built-package.js';

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('process-exit');
}, 120_000);

describe('a process', () => {
  it.each([
    ['ends by itself when nothing is under way', 'idle'],
    ['may exit in the middle of a search and an add', 'exit'],
    ['does not end before a search that is under way', 'unsettled'],
  ])('%s', async (_, mode) => {
    expect(await runScript('exit.mjs', [packageUrl, mode])).toEqual({});
  });
});

describe('a process with encoder threads', () => {
  const images = ['FR', 'IT', 'BR', 'MX', 'JP', 'AU'].map(flagPath);

  it.each([
    ['ends by itself when nothing is under way', 'idle'],
    ['may exit while images are decoded', 'exit'],
    ['does not end before what is under way', 'unsettled'],
  ])('%s', async (_, mode) => {
    expect(await runScript('encoder-threads.mjs', [packageUrl, mode, ...images])).toEqual({});
  });

  it('frees the queries that are forgotten, and only those', async () => {
    const fixture = new URL('../unit/encoders/threads/fixture-encoder.mjs', import.meta.url).href;
    expect(
      await runScript('forgotten-queries.mjs', [packageUrl, fixture], { flags: ['--expose-gc'] }),
    ).toEqual({ released: 5, kept: 9 });
  });
});

describe('a process with a corpus', () => {
  // To stop SQLite's thread in the middle of a call would abort the process.
  it.each(['idle', 'ingest', 'query'])('ends in order: %s', async (mode) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'granule-exit-'));
    const kb = path.join(folder, 'kb');
    expect(await runScript('corpus-exit.mjs', [packageUrl, kb, mode])).toEqual({});
    const corpus = await Corpus.open(kb);
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
    rmSync(folder, { recursive: true });
  });
});

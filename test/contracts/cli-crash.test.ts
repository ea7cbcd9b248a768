import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { Corpus } from '../../src/corpus/corpus.js';
import { builtInEncoders } from '../../src/systems/built-in-encoders.js';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { ended, granule, start } from './cli-process.js';

const ENTITIES = 24;
const PASSAGES = ENTITIES * 20;
const KILLS = 6;

it('goes on where it was killed, and is whole after each kill', { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const lines: string[] = [];
  for (let i = 0; i < ENTITIES; i++) {
    const background = { r: (i * 37) % 256, g: (i * 91) % 256, b: (i * 53) % 256 };
    const image = sharp({ create: { width: 160, height: 120, channels: 3, background } });
    writeFileSync(join(folder, `${i}.png`), await image.png().toBuffer());
    const passages = Array.from({ length: 20 }, (_, p) => ({
      id: `${i}-${p}`,
      text: `Passage ${p} of entity ${i}.`,
    }));
    lines.push(
      JSON.stringify({ entity: { id: `e${i}`, title: `Entity ${i}`, image: `${i}.png` }, passages }),
    );
  }
  const source = join(folder, 'corpus.jsonl');
  writeFileSync(source, lines.join('\n'));

  const begin = performance.now();
  expect(await granule(['ingest', source, '--to', join(folder, 'undisturbed')])).toMatchObject({ status: 0 });
  const whole = performance.now() - begin;

  let killed = 0;
  let interrupted = '';
  for (let i = 0; i < KILLS; i++) {
    const kb = join(folder, `kb-${i}`);
    const child = start(['ingest', source, '--to', kb]);
    // The first third of the time is the start of the process.
    const timer = setTimeout(() => child.kill('SIGKILL'), whole * (0.3 + (0.7 * i) / KILLS));
    const { status } = await ended(child);
    clearTimeout(timer);
    if (status === null) killed += 1;
    if (!existsSync(kb)) continue;
    const corpus = await Corpus.open(kb, builtInEncoders());
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [], leftovers: [] });
    const { searchablePassages } = (await corpus.info()).counts;
    await corpus.close();
    if (searchablePassages < PASSAGES) interrupted = kb;
  }
  expect(killed).toBeGreaterThan(KILLS / 3);
  // Some kills must have come in the middle of the work, or nothing was tested.
  expect(interrupted).not.toBe('');
  const { status, stdout } = await granule(['ingest', source, '--to', interrupted, '--json']);
  expect(status).toBe(0);
  const counts = { entities: ENTITIES, passages: PASSAGES, images: ENTITIES };
  expect(JSON.parse(stdout)).toMatchObject({ taken: ENTITIES, refused: [], ...counts });
  const corpus = await Corpus.open(interrupted);
  expect((await corpus.info()).counts).toMatchObject({
    searchablePassages: PASSAGES,
    searchableImages: ENTITIES,
  });
  await corpus.close();
});

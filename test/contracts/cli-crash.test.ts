import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { Corpus } from '../../src/corpus/corpus.js';
import { builtInEncoders } from '../../src/systems/built-in-encoders.js';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { ended, granule, start } from './cli-process.js';

const ENTITIES = 24;
const KILLS = 20;

it('leaves no corpus or a whole one, whenever an ingest is killed', { timeout: 120_000 }, async () => {
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
  for (let i = 0; i < KILLS; i++) {
    const kb = join(folder, `kb-${i}`);
    const child = start(['ingest', source, '--to', kb]);
    // The first third of the time is the start of the process.
    const timer = setTimeout(() => child.kill('SIGKILL'), whole * (0.3 + (0.7 * i) / KILLS));
    const { status } = await ended(child);
    clearTimeout(timer);
    if (status === null) killed += 1;
    if (existsSync(kb)) {
      const corpus = await Corpus.open(kb, builtInEncoders());
      expect([corpus.entities.length, corpus.passages.length]).toEqual([ENTITIES, ENTITIES * 20]);
    }
  }
  expect(killed).toBeGreaterThan(KILLS / 3);
  // Some kills must have come in the middle of the work, or nothing was tested.
  expect(readdirSync(folder).some((name) => name.includes('.building-'))).toBe(true);
});

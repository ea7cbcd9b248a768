import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { Refusal } from '../../../src/corpus/ingest-report.js';
import type { CorpusLine } from '../../../src/corpus/records.js';
import type { CorpusSnapshot } from '../../../src/corpus/snapshot/corpus-snapshot.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { fakeEncoders } from './fake-encoders.js';
import { temporaryFolder } from './temporary-folder.js';

/** An image of one colour; the fake encoder refuses those of 13 pixels' width. */
export async function png(red: number, width = 8): Promise<Buffer> {
  const background = { r: red, g: 10, b: 20 };
  return sharp({ create: { width, height: 8, channels: 3, background } })
    .png()
    .toBuffer();
}

/** An entity with two passages. */
export const lineOf = (id: string, image?: string): CorpusLine => ({
  entity: { id, title: id.toUpperCase(), ...(image !== undefined && { image }) },
  passages: [
    { id: `${id}#1`, text: `${id} one` },
    { id: `${id}#2`, text: `${id} two, longer` },
  ],
});

/** A folder with two images and a corpus file of the given lines. */
export async function source(
  lines: readonly (CorpusLine | string)[],
): Promise<{ folder: string; file: string; kb: string }> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.png'), await png(100));
  writeFileSync(join(folder, 'b.png'), await png(200));
  const file = join(folder, 'corpus.jsonl');
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  writeFileSync(file, texts.join('\n'));
  return { folder, file, kb: join(folder, 'kb') };
}

/** A corpus of the given lines. */
export async function build(lines: readonly (CorpusLine | string)[]) {
  const places = await source(lines);
  const encoders = fakeEncoders();
  const corpus = await Corpus.create(places.kb, encoders);
  const report = await corpus.ingest(places.file);
  return { ...places, corpus, report, encoders };
}

/** Runs `look` with a snapshot. */
export async function lookAt<T>(corpus: Corpus, look: (snapshot: CorpusSnapshot) => Promise<T>): Promise<T> {
  const snapshot = await corpus.snapshot();
  try {
    return await look(snapshot);
  } finally {
    await snapshot.release();
  }
}

/** Ids of the entities, and the texts that a search finds. */
export function contents(corpus: Corpus): Promise<{ entities: string[]; found: string[] }> {
  return lookAt(corpus, async (snapshot) => {
    const entities: string[] = [];
    for await (const { id } of snapshot.entities()) entities.push(id);
    return { entities, found: await foundTexts(snapshot) };
  });
}

/** The texts of all passages that a search finds, sorted. */
export async function foundTexts(snapshot: CorpusSnapshot): Promise<string[]> {
  const hits = await snapshot.searchPassages(matrix(Float32Array.of(1, 0, 0, 0), 4), { k: 1_000_000 });
  const passages = await snapshot.passages([...hits.rows]);
  return passages.map(({ text }) => text).sort();
}

/** Lines and codes of refusals. */
export const refusals = (report: { refused: readonly Refusal[] }) =>
  report.refused.map(({ line, code }) => [line, code]);

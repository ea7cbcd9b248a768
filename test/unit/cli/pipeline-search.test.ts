import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStages, searchByPipeline } from '../../../src/cli/pipeline-search.js';
import { Corpus } from '../../../src/corpus/corpus.js';
import {
  aggregate,
  dense,
  feedback,
  fuse,
  lateInteraction,
  type PipelineStage,
  sparse,
} from '../../../src/pipeline/index.js';
import { builtInEncoders } from '../../../src/systems/built-in-encoders.js';
import { png } from '../corpus/small-corpus.js';

let folder: string;
let kb: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
  kb = join(folder, 'kb');
  for (const red of [40, 220]) writeFileSync(join(folder, `${red}.png`), await png(red));
  const line = (id: string, red: number, words: string) =>
    JSON.stringify({
      entity: { id, title: id.toUpperCase(), image: `${red}.png` },
      metadata: { red },
      passages: [{ id: `${id}-1`, text: `${words}.` }],
      documents: [{ id: `${id}/d`, title: `About ${id}`, text: `${words}, and so on.` }],
    });
  const lines = [line('a', 40, 'It lies by the sea'), line('b', 220, 'It lies in the hills')];
  writeFileSync(join(folder, 'corpus.jsonl'), lines.join('\n'));
  const corpus = await Corpus.create(kb, builtInEncoders());
  expect((await corpus.ingest(join(folder, 'corpus.jsonl'))).refused).toEqual([]);
  await corpus.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HYBRID = [dense({ source: 'text' }), sparse(), fuse({ method: 'rrf' })];
const text = 'by the sea';
const search = (stages: readonly PipelineStage[], query: object, options: object = {}) =>
  searchByPipeline(kb, stages, query, { k: 2, json: false, ...options });
const facts = async (stages: readonly PipelineStage[], query: object, options: object = {}) =>
  JSON.parse(await search(stages, query, { json: true, ...options }));

describe('a search by a pipeline', () => {
  it('prints the hits of each level with what speaks for them, and the time of each stage', async () => {
    expect(await search(HYBRID, { text })).toMatch(
      /^ {2}1\. 0\.\d{4} {2}a(-1|\/d#1)\n {5}.*by the sea.*\n {2}2\. .*\n.*\n1 dense \S+ ms, 2 sparse \S+ ms, 3 fuse \S+ ms$/,
    );
    expect(await search([...HYBRID, aggregate({ by: 'document' })], { text })).toMatch(
      /^ {2}1\. 0\.\d{4} {2}About a \(a\/d\)\n {5}.*by the sea, and so on/,
    );
    expect(await search([...HYBRID, aggregate({ by: 'entity' })], { text })).toMatch(
      /^ {2}1\. 0\.\d{4} {2}A \(a\)\n {5}.*by the sea/,
    );
    const image = join(folder, '220.png');
    expect(await search([dense({ source: 'image' })], { image })).toMatch(
      /^ {2}1\. \d\.\d{4} {2}b, of B\n {2}2\. /,
    );
  });

  it('gives programs the records, the evidence and the trace', async () => {
    const found = await facts(HYBRID, { text }, { k: 1 });
    expect(found).toMatchObject({
      text,
      level: 'passage',
      hits: [{ passage: { entityId: 'a' }, score: expect.any(Number) }],
    });
    expect(found.hits).toHaveLength(1);
    expect(found.stages.map(({ stage }: { stage: string }) => stage)).toEqual(['dense', 'sparse', 'fuse']);
    const image = join(folder, '220.png');
    const patches = await facts([lateInteraction()], { image });
    const { matches } = patches.hits[0];
    expect(patches).toMatchObject({
      level: 'image',
      hits: [{ image: { id: 'b', entity: { id: 'b', title: 'B' } } }, {}],
    });
    expect(matches.patches.vectors).toHaveLength(matches.patches.similarities.length);
    expect(Number.isInteger(matches.patches.vectors[0])).toBe(true);
  });

  it('takes feedback from images too', async () => {
    const image = join(folder, '220.png');
    const stages: PipelineStage[] = [
      dense({ source: 'image' }),
      feedback({ method: 'average', m: 1, source: 'image' }),
    ];
    const { hits } = await facts(stages, { image });
    const [first] = (await facts([dense({ source: 'image' })], { image })).hits;
    expect(hits[0].image.id).toBe('b');
    // The picture is the image of b itself: the mean of the two is the same vector.
    expect(hits[0].score).toBeCloseTo(first.score, 5);
  });

  it('takes a text and a picture together', async () => {
    const both = [
      dense({ source: 'text' }),
      aggregate({ by: 'entity' }),
      dense({ source: 'image' }),
      aggregate({ by: 'entity' }),
      fuse({ method: 'comb-sum', normalisation: 'min-max', weights: [1, 3] }),
    ];
    const { hits, level } = await facts(both, { text, image: join(folder, '220.png') });
    expect(level).toBe('entity');
    expect(hits).toMatchObject([
      { entity: { id: 'b' }, passage: { entityId: 'b' }, image: 'b', score: 0.75 },
      { entity: { id: 'a' }, passage: { entityId: 'a' }, image: 'a', score: 0.25 },
    ]);
  });

  it('filters, and may find nothing', async () => {
    const { hits } = await facts(HYBRID, { text }, { filter: { red: 220 } });
    expect(hits.map(({ passage }: { passage: { entityId: string } }) => passage.entityId)).toEqual([
      'b',
      'b',
    ]);
    expect((await facts(HYBRID, { text }, { filter: { red: 1 } })).hits).toEqual([]);
  });

  it('refuses what the query lacks, and lets go of the knowledge base', async () => {
    await expect(search(HYBRID, { image: join(folder, '220.png') })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(search([dense()], { text })).rejects.toMatchObject({
      code: 'PIPELINE_INVALID',
      message: 'pipeline[0].source is missing: the dense sources are text, image',
    });
    const aborting = new AbortController();
    aborting.abort();
    await expect(search(HYBRID, { text }, { signal: aborting.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

it('stages are read from a file of JSON', async () => {
  const file = join(folder, 'pipeline.json');
  writeFileSync(file, JSON.stringify(HYBRID));
  expect(await readStages(file)).toEqual(HYBRID);
  writeFileSync(file, '[{');
  await expect(readStages(file)).rejects.toMatchObject({
    code: 'PIPELINE_INVALID',
    message: expect.stringMatching(`^${file} is no JSON: `),
  });
  await expect(readStages(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { MetadataFilter } from '../../../src/corpus/filter/metadata-filter.js';
import type { CorpusLine } from '../../../src/corpus/records.js';
import type { PassageRecord } from '../../../src/corpus/snapshot/stored-records.js';
import type { PassageHit } from '../../../src/retrievers/retriever.js';
import { builtInEncoders } from '../../../src/systems/built-in-encoders.js';
import { type OpenedMiRag, openMiRag } from '../../../src/systems/open-mirag.js';
import { type CorpusQuery, type SearchLevel, searchCorpus } from '../../../src/systems/search-corpus.js';
import { png } from '../corpus/small-corpus.js';

const ALL = 1_000;
const WORDS = ['The sea is near.', 'The hill is high.', 'A river flows by.', 'It has two lakes.'];
/** Few different texts, so that many passages have the same score. */
const text = (i: number) => WORDS[i % WORDS.length]!;

/** Passages of their own, documents, or both; the last two have images, and the last has nothing else. */
function lineOf(i: number): CorpusLine {
  const last = i === 7;
  return {
    entity: { id: `e${i}`, title: `E${i}` },
    metadata: { even: i % 2 === 0 },
    passages: Array.from({ length: last ? 0 : i }, (_, j) => ({ id: `e${i}-${j}`, text: text(i + j) })),
    documents: Array.from({ length: last ? 0 : i % 3 }, (_, j) => ({
      id: `d${i}-${j}`,
      text: Array.from({ length: 60 }, (_, s) => text((i + j) * (s + 1))).join(' '),
      ...(j === 0 && { title: `D${i}` }),
      metadata: { first: j === 0 },
    })),
    images:
      i === 6 ? [{ file: '90.png' }] : last ? [{ file: '150.png' }, { id: 'own', file: '220.png' }] : [],
  };
}

let folder: string;
let opened: OpenedMiRag;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
  for (const red of [90, 150, 220]) writeFileSync(join(folder, `${red}.png`), await png(red));
  const lines = Array.from({ length: 8 }, (_, i) => JSON.stringify(lineOf(i)));
  writeFileSync(join(folder, 'corpus.jsonl'), lines.join('\n'));
  const corpus = await Corpus.create(join(folder, 'kb'), builtInEncoders());
  const { refused } = await corpus.ingest(join(folder, 'corpus.jsonl'));
  await corpus.close();
  expect(refused).toEqual([]);
  opened = await openMiRag(join(folder, 'kb'));
});

afterAll(async () => {
  await opened.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const search = (query: CorpusQuery, k: number, filter?: MetadataFilter) =>
  searchCorpus(opened, query, { k, filter });

/** Every passage, best first; those of equal scores by their rows. */
async function ranked(asked: string, filter?: MetadataFilter): Promise<PassageHit[]> {
  const { hits } = await search({ text: asked }, ALL, filter);
  return hits as PassageHit[];
}

/** The best passage of each document or entity, by a look at every passage of it. */
function slowly(all: readonly PassageHit[], group: 'documentId' | 'entityId', k: number) {
  const idOf = ({ item }: PassageHit) => (item as PassageRecord)[group];
  const ids = [...new Set(all.map(idOf))].filter((id) => id !== undefined);
  return ids
    .map((id) => ({ id, place: all.findIndex((hit) => idOf(hit) === id) }))
    .sort((a, b) => a.place - b.place)
    .slice(0, k)
    .map(({ id, place }) => [id, all[place]!.score, all[place]!.item.id]);
}

describe('a text', () => {
  it.each<[SearchLevel & ('document' | 'entity'), MetadataFilter | undefined]>([
    ['document', undefined],
    ['document', { even: true }],
    ['document', { first: false }],
    ['document', { first: 'never' }],
    ['entity', undefined],
    ['entity', { even: false }],
    ['entity', { first: true }],
  ])('finds each %s by its best passage (filter: %o)', async (level, filter) => {
    for (const asked of ['the sea', 'lakes and a river', 'E3']) {
      const all = await ranked(asked, filter);
      for (const k of [1, 2, 3, 5, 40]) {
        const found = await search({ text: asked, level }, k, filter);
        const hits = found.level === 'document' || found.level === 'entity' ? found.hits : [];
        expect(found.level).toBe(level);
        expect(hits.map(({ item, score, passage }) => [item.id, score, passage!.id])).toEqual(
          slowly(all, `${level}Id`, k),
        );
        const sum = hits.reduce((total, { probability }) => total + probability, 0);
        expect(sum).toBeCloseTo(hits.length === 0 ? 0 : 1, 6);
      }
    }
  });

  it('gives the records of what it finds', async () => {
    const [document] = (await search({ text: 'the sea', level: 'document' }, ALL, { first: true })).hits;
    const id = (document!.item as { id: string }).id;
    const { text: whole, ...head } = (await opened.snapshot.document(id))!;
    expect(document!.item).toEqual(head);
    expect(head).toMatchObject({ entityId: `e${id[1]}`, title: `D${id[1]}`, metadata: { first: true } });
    const [entity] = (await search({ text: 'the sea', level: 'entity' }, 1)).hits;
    expect(entity!.item).toEqual(await opened.snapshot.entity((entity!.item as { id: string }).id));
  });

  it('finds passages where no level is named', async () => {
    expect((await search({ text: 'the sea' }, 1)).level).toBe('passage');
  });
});

describe('an image', () => {
  it('finds the images by themselves, and leads from each to its entity', async () => {
    const found = await search({ image: join(folder, '220.png'), level: 'image' }, ALL);
    if (found.level !== 'image') throw new Error(found.level);
    expect(found.hits.map(({ item }) => [item.id, item.entity.id]).sort()).toEqual([
      ['e6', 'e6'],
      ['e7', 'e7'],
      ['own', 'e7'],
    ]);
    const even = await search({ image: join(folder, '220.png'), level: 'image' }, ALL, { even: true });
    expect(even.hits.map(({ item }) => (item as { id: string }).id)).toEqual(['e6']);
    for (const { region, matches, score } of found.hits) {
      expect([region.length, matches!.length > 0]).toEqual([8, true]);
      expect(matches!.reduce((sum, { similarity }) => sum + similarity, 0)).toBeCloseTo(score, 2);
    }
  });

  it('finds entities where no level is named', async () => {
    const found = await search({ image: join(folder, '90.png') }, ALL);
    expect([found.level, found.hits.length]).toEqual(['entity', 2]);
  });
});

it.each<[string, CorpusQuery]>([
  ["a text and the level 'image'", { text: 'a', level: 'image' }],
  ["an image and the level 'passage'", { image: 'a.png', level: 'passage' }],
  ["an image and the level 'document'", { image: 'a.png', level: 'document' }],
  ["a text and the level 'patch'", { text: 'a', level: 'patch' as SearchLevel }],
  ["both and the level 'entity'", { text: 'a', image: 'a.png', level: 'entity' }],
  ['neither', {}],
])('%s find nothing, and the error says what does', async (given, query) => {
  await expect(search(query, 1)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `a text finds the levels 'passage', 'document' and 'entity', an image 'entity' and 'image'; got ${given}`,
  });
});

it('k is a whole number of at least 1, whatever there is to find', async () => {
  for (const query of [
    { text: 'a' },
    { text: 'a', level: 'document' },
    { text: 'a', level: 'entity' },
    { image: join(folder, '90.png'), level: 'image' },
  ] as const) {
    await expect(search(query, 0)).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
  }
});

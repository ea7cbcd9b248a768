import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NgramTextEncoder } from '../../../src/encoders/ngram/ngram-text-encoder.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import {
  aggregate,
  dense,
  fuse,
  type PassageSources,
  passageSources,
  pipeline,
  sparse,
} from '../../../src/pipeline/index.js';
import { rankedLists } from '../../../src/ranking/ranked-list.js';
import { MemoryPassageStore } from '../../../src/retrievers/memory-passage-store.js';
import type { PassageStore } from '../../../src/retrievers/passage-store.js';
import { Bm25Index } from '../../../src/text/bm25-index.js';
import { build, lookAt } from '../corpus/small-corpus.js';

const TEXTS = [
  'Robin. A small bird that sings.',
  'Whale. A large animal of the sea.',
  'Tower. It stands in Paris, by the river.',
  'Gull. A bird of the sea, a large one.',
  'River. It runs to the sea.',
];
const PASSAGES = TEXTS.map((text, i) => ({ id: `p${i}`, entityId: `e${i % 2}`, text }));
const METADATA = [{ kind: 'bird' }, { kind: 'mammal' }, undefined, { kind: 'bird' }, undefined];
const encoder = new NgramTextEncoder({ dimension: 256 });
let store: MemoryPassageStore;

beforeAll(async () => {
  encoder.fit(TEXTS);
  const index = new FlatIndex({ dimension: 256 });
  await index.add((await encoder.encodePassages(TEXTS)).vectors);
  store = new MemoryPassageStore({ index, passages: PASSAGES, metadata: METADATA });
});

afterAll(() => store.dispose());

/** The store, doing something before it gives passages. */
function storeThat(before: () => void): PassageStore {
  return {
    counts: store.counts,
    searchPassages: (vectors, options) => store.searchPassages(vectors, options),
    findablePassages: (filter) => store.findablePassages(filter),
    passageVectors: (rows) => store.passageVectors(rows),
    passages: async (rows) => {
      before();
      return store.passages(rows);
    },
  };
}

async function withSources<T>(use: (sources: PassageSources) => Promise<T>): Promise<T> {
  const sources = passageSources(store, { encoder });
  try {
    return await use(sources);
  } finally {
    sources[Symbol.dispose]();
  }
}

describe('passages in memory', () => {
  it('are searched by their vectors and by their words, and known by their ids', async () => {
    await withSources(async (sources) => {
      const text = 'a large bird by the sea';
      const { vectors } = await encoder.encodeQueries([text]);
      const byVector = await pipeline([dense()], { sources }).retrieve({ text });
      expect(byVector.list).toEqual(rankedLists(await store.searchPassages(vectors, { k: 5 }))[0]);
      const bm25 = new Bm25Index();
      await bm25.add(TEXTS);
      const byWords = await pipeline([sparse()], { sources }).retrieve({ text });
      expect(byWords.list).toEqual(rankedLists(await bm25.search([text], { k: 5 }))[0]);
      expect(byWords.ids).toEqual([...byWords.list.rows].map((row) => `p${row}`));
      bm25.dispose();
    });
  });

  it('give their vectors', async () => {
    await withSources(async ({ dense: sources }) => {
      const rows = Uint32Array.of(3, 0);
      const { vectors } = await encoder.encodePassages(['Gull. A bird of the sea, a large one.', TEXTS[0]!]);
      expect(await sources!['text']!.vectorsOf(rows, {})).toEqual(vectors);
    });
  });

  it('belong to entities, and to no document', async () => {
    await withSources(async (sources) => {
      const entities = pipeline([sparse(), aggregate({ by: 'entity' })], { sources });
      expect((await entities.retrieve({ text: 'sea' })).ids!.toSorted()).toEqual(['e0', 'e1']);
      const documents = pipeline([sparse(), aggregate({ by: 'document' })], { sources });
      expect((await documents.retrieve({ text: 'sea' })).ids).toEqual([]);
    });
  });

  it('are filtered in both searches; the words keep the weights that they have among all passages', async () => {
    await withSources(async (sources) => {
      const query = { text: 'a large bird by the sea' };
      for (const stage of [dense(), sparse()]) {
        const retriever = pipeline([stage], { sources });
        const all = await retriever.retrieve(query);
        const birds = await retriever.retrieve(query, { filter: { kind: 'bird' } });
        const places = [...all.list.rows.keys()].filter(
          (place) => METADATA[all.list.rows[place]!]?.kind === 'bird',
        );
        expect([...birds.list.rows]).toEqual(places.map((place) => all.list.rows[place]));
        expect([...birds.list.scores]).toEqual(places.map((place) => all.list.scores[place]));
        const none = await retriever.retrieve(query, { filter: { kind: 'fish' } });
        expect(none.list.rows).toHaveLength(0);
        await expect(
          retriever.retrieve(query, { filter: { kind: { like: 1 } } as never }),
        ).rejects.toMatchObject({
          code: 'METADATA_FILTER_INVALID',
        });
      }
    });
  });

  it('need a text', async () => {
    await withSources(async (sources) => {
      for (const stage of [dense(), sparse()]) {
        await expect(pipeline([stage], { sources }).retrieve({ image: 'a.png' })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: 'the pipeline searches for a text, and the query has none',
        });
      }
    });
  });

  it('are indexed by their words once, at the first search, with the options given', async () => {
    let reads = 0;
    const counting = storeThat(() => {
      reads += 1;
    });
    const sources = passageSources(counting, { encoder, bm25: { k1: 2, b: 1 } });
    const search = sources.sparse!['text']!.search.bind(sources.sparse!['text']!);
    expect(reads).toBe(0);
    const [first] = await Promise.all([
      search({ text: 'sea' }, { k: 3 }),
      search({ text: 'bird' }, { k: 3 }),
    ]);
    expect(reads).toBe(1);
    const bm25 = new Bm25Index({ k1: 2, b: 1 });
    await bm25.add(TEXTS);
    expect(first).toEqual(rankedLists(await bm25.search(['sea'], { k: 3 }))[0]);
    bm25.dispose();
    sources[Symbol.dispose]();
    await expect(search({ text: 'sea' }, { k: 3 })).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });

  it('an aborted search leaves the index to others, and one that failed is begun again', async () => {
    let failures = 1;
    const failing = storeThat(() => {
      if (failures-- > 0) throw new Error('the disk is gone');
    });
    const sources = passageSources(failing, { encoder });
    const source = sources.sparse!['text']!;
    await expect(source.search({ text: 'sea' }, { k: 1 })).rejects.toThrow('the disk is gone');
    const aborting = new AbortController();
    const waiting = source.search({ text: 'sea' }, { k: 1, signal: aborting.signal });
    const other = source.search({ text: 'sea' }, { k: 1 });
    aborting.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect((await other).rows).toHaveLength(1);
    const { signal } = aborting;
    await expect(source.search({ text: 'sea' }, { k: 1, signal })).rejects.toMatchObject({ code: 'ABORTED' });
    sources[Symbol.dispose]();
  });
});

describe('passages of a corpus', () => {
  const line = (id: string, texts: readonly string[]) => ({
    entity: { id, title: id.toUpperCase() },
    metadata: { id },
    passages: texts.map((text, i) => ({ id: `${id}#${i}`, text })),
    documents: [{ id: `${id}/d`, text: `${texts[0]} again` }],
  });

  it('are those that a snapshot has, also where others were deleted before them', async () => {
    const { corpus, encoders } = await build([
      line('a', ['the sea is wide', 'a bird sings']),
      line('b', ['the sea is deep', 'a river runs']),
      line('c', ['a bird of the sea', 'a tower stands']),
    ]);
    await corpus.delete({ entity: 'a' });
    await lookAt(corpus, async (snapshot) => {
      const sources = passageSources(snapshot, { encoder: encoders.textEncoder });
      const query = { text: 'sea bird' };
      const words = await pipeline([sparse()], { sources }).retrieve(query);
      expect(words.ids!.toSorted()).toEqual(['b#0', 'b/d#1', 'c#0', 'c/d#1']);
      const filtered = await pipeline([sparse()], { sources }).retrieve(query, { filter: { id: 'c' } });
      expect(filtered.ids).toEqual(words.ids!.filter((id) => id!.startsWith('c')));
      const documents = await pipeline([sparse(), aggregate({ by: 'document' })], { sources }).retrieve(
        query,
      );
      expect(documents.ids!.toSorted()).toEqual(['b/d', 'c/d']);
      expect(documents.evidence.map(({ best }) => best!['passage']!.id).toSorted()).toEqual([
        'b/d#1',
        'c/d#1',
      ]);
      const hybrid = await pipeline([dense(), sparse(), fuse({ method: 'rrf' })], { sources }).retrieve(
        query,
      );
      expect(new Set(hybrid.ids)).toEqual(new Set(['b#0', 'b#1', 'b/d#1', 'c#0', 'c#1', 'c/d#1']));
      const { rows } = hybrid.list;
      const vectors = await sources.dense!['text']!.vectorsOf(rows, {});
      const texts = (await snapshot.passages([...rows])).map(({ text }) => text);
      expect(vectors).toEqual((await encoders.textEncoder.encodePassages(texts)).vectors);
      await expect(snapshot.passageVectors([0])).rejects.toMatchObject({ code: 'ROW_NOT_FOUND' });
      sources[Symbol.dispose]();
    });
    await corpus.close();
  });

  it('may be none at all', async () => {
    const { corpus, encoders } = await build([line('a', ['the sea is wide'])]);
    await corpus.delete({ entity: 'a' });
    await lookAt(corpus, async (snapshot) => {
      const sources = passageSources(snapshot, { encoder: encoders.textEncoder });
      const found = await pipeline([dense(), sparse(), fuse({ method: 'rrf' })], { sources }).retrieve({
        text: 'sea',
      });
      expect(found.list.rows).toHaveLength(0);
      sources[Symbol.dispose]();
    });
    await corpus.close();
  });
});

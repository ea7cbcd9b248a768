import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MetadataFilter } from '../../../src/corpus/filter/metadata-filter.js';
import { SparsePassageRetriever } from '../../../src/retrievers/sparse-passage-retriever.js';
import { analyzer } from '../../../src/text/analyzer.js';
import { Bm25Index } from '../../../src/text/bm25-index.js';
import { BM25_DEFAULTS } from '../../../src/text/bm25-weights.js';
import { slowBm25 } from '../text/slow-bm25.js';

const code = (name: string) => expect.objectContaining({ code: name });
const PASSAGES = [
  'The robin is a small songbird.',
  'A whale is a large animal of the sea.',
  'The tower stands in Paris.',
  'Whales eat small animals.',
].map((text, i) => ({ id: `p${i}`, entityId: `e${i}`, text }));
const METADATA = [{ place: 'wood' }, { place: 'sea' }, undefined, { place: 'sea' }];
let retriever: SparsePassageRetriever;

beforeAll(async () => {
  retriever = await SparsePassageRetriever.build({ passages: PASSAGES, metadata: METADATA });
});
afterAll(() => retriever.dispose());

test('hits are those of the slow obvious search, with probabilities that sum to 1', async () => {
  const terms = PASSAGES.map(({ text }) => analyzer()(text));
  const queries = ['small animals', 'a whale in Paris'];
  const timings = {};
  const lists = await retriever.retrieve(queries, { k: 3 }, timings);
  for (const [q, list] of lists.entries()) {
    const expected = slowBm25(terms, analyzer()(queries[q]!), [...new Set(terms.flat())], BM25_DEFAULTS)
      .map((score, row) => ({ row, score }))
      .filter((hit): hit is { row: number; score: number } => hit.score !== undefined)
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, 3);
    expect(list.map(({ item }) => item)).toEqual(expected.map(({ row }) => PASSAGES[row]));
    for (const [place, { score }] of list.entries()) expect(score).toBeCloseTo(expected[place]!.score, 5);
    expect(list.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    expect(list[0]!.probability / list[1]!.probability).toBeCloseTo(
      Math.exp(list[0]!.score - list[1]!.score),
      4,
    );
  }
  expect(Object.keys(timings)).toEqual(['searchPassages']);
});

test('only passages that share a word are found, and no query gives no list', async () => {
  const [robin, nothing] = await retriever.retrieve(['robin', 'zeppelin'], { k: 100 });
  expect(robin!.map(({ item }) => item.id)).toEqual(['p0']);
  expect(nothing).toEqual([]);
  expect(await retriever.retrieve([], { k: 3 })).toEqual([]);
});

test('a filter leaves only the passages with such metadata', async () => {
  const [list] = await retriever.retrieve(['small whale tower'], { k: 4, filter: { place: 'sea' } });
  expect(list!.map(({ item }) => item.id).sort()).toEqual(['p1', 'p3']);
  const wrong = { place: { $near: 1 } } as unknown as MetadataFilter;
  await expect(retriever.retrieve(['whale'], { k: 1, filter: wrong })).rejects.toThrowError(
    code('METADATA_FILTER_INVALID'),
  );
});

test('an index with other parameters can be given, and stays its owner’s', async () => {
  using index = new Bm25Index({ k1: 1.2, b: 0.75 });
  await index.add(PASSAGES.map(({ text }) => text));
  const other = new SparsePassageRetriever({ index, passages: PASSAGES, temperature: 2 });
  const [[given], [built]] = (await Promise.all(
    [other, retriever].map(async (each) => (await each.retrieve(['whales'], { k: 1 }))[0]!),
  )) as unknown as [[{ score: number }], [{ score: number }]];
  expect(given.score).not.toBe(built.score);
  other.dispose();
  expect(index.rows).toBe(4);
});

test('an index of its own is freed with it', async () => {
  const own = await SparsePassageRetriever.build({ passages: PASSAGES });
  own.dispose();
  await expect(own.retrieve(['whale'], { k: 1 })).rejects.toThrowError(code('INDEX_DISPOSED'));
});

test('what does not fit together is refused', async () => {
  using index = new Bm25Index();
  expect(() => new SparsePassageRetriever({ index, passages: PASSAGES })).toThrowError(
    code('LENGTH_MISMATCH'),
  );
  await expect(SparsePassageRetriever.build({ passages: PASSAGES, metadata: [] })).rejects.toThrowError(
    code('LENGTH_MISMATCH'),
  );
  await expect(SparsePassageRetriever.build({ passages: PASSAGES, temperature: 0 })).rejects.toThrowError(
    code('TEMPERATURE_INVALID'),
  );
  const empty = await SparsePassageRetriever.build({ passages: [] });
  await expect(empty.retrieve(['a'], { k: 1 })).rejects.toThrowError(code('EMPTY_INDEX'));
  for (const k of [0, 1.5]) {
    await expect(retriever.retrieve(['a'], { k })).rejects.toThrowError(code('K_OUT_OF_RANGE'));
  }
  const signal = AbortSignal.abort();
  await expect(retriever.retrieve(['whale'], { k: 1, signal })).rejects.toThrowError(code('ABORTED'));
  await expect(SparsePassageRetriever.build({ passages: PASSAGES, signal })).rejects.toThrowError(
    code('ABORTED'),
  );
});

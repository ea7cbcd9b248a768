import { beforeAll, expect, test } from 'vitest';
import { NgramTextEncoder } from '../../../src/encoders/ngram/ngram-text-encoder.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { DensePassageRetriever } from '../../../src/retrievers/dense-passage-retriever.js';
import { matrixRow } from '../../../src/vectors/matrix.js';

const PASSAGES = ['Robin. A small songbird.', 'Whale. A large animal.', 'Tower. It stands in Paris.'].map(
  (text, i) => ({
    id: `p${i}`,
    entityId: `e${i}`,
    text,
  }),
);
const encoder = new NgramTextEncoder({ dimension: 256 });
let retriever: DensePassageRetriever;

beforeAll(async () => {
  encoder.fit(PASSAGES.map(({ text }) => text));
  retriever = await DensePassageRetriever.build({ encoder, passages: PASSAGES });
});

test('hits are those of the slow obvious search, with probabilities that sum to 1', async () => {
  const queries = ['a songbird', 'the tower in Paris'];
  const timings = {};
  const lists = await retriever.retrieve(queries, { k: 2 }, timings);
  const passages = (await encoder.encodePassages(PASSAGES.map(({ text }) => text))).vectors;
  const asked = (await encoder.encodeQueries(queries)).vectors;
  for (const [q, list] of lists.entries()) {
    const scores = PASSAGES.map((_, row) =>
      matrixRow(asked, q).reduce((sum, value, i) => sum + value * matrixRow(passages, row)[i]!, 0),
    );
    const order = [0, 1, 2].sort((a, b) => scores[b]! - scores[a]!).slice(0, 2);
    expect(list.map(({ item }) => item)).toEqual(order.map((row) => PASSAGES[row]));
    for (const [place, { score }] of list.entries()) expect(score).toBeCloseTo(scores[order[place]!]!, 6);
    expect(list.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    expect(list[0]!.probability / list[1]!.probability).toBeCloseTo(
      Math.exp((list[0]!.score - list[1]!.score) / 0.1),
      3,
    );
  }
  expect(Object.keys(timings)).toEqual(['encodeText', 'searchPassages']);
});

test('a small corpus gives fewer hits, and no query none', async () => {
  expect((await retriever.retrieve(['robin'], { k: 100 }))[0]).toHaveLength(3);
  expect(await retriever.retrieve([], { k: 3 })).toEqual([]);
});

test('parts that do not fit together are refused', () => {
  const parts = { encoder, passages: PASSAGES, index: new FlatIndex({ dimension: 256 }) };
  const make = (changes: object) => () => new DensePassageRetriever({ ...parts, ...changes });
  expect(make({})).toThrowError(expect.objectContaining({ code: 'LENGTH_MISMATCH' }));
  expect(make({ index: new FlatIndex({ dimension: 8 }) })).toThrowError(
    expect.objectContaining({ code: 'DIMENSION_INVALID' }),
  );
  expect(make({ passages: [], temperature: 0 })).toThrowError(
    expect.objectContaining({ code: 'TEMPERATURE_INVALID' }),
  );
});

test('bad calls are refused', async () => {
  await expect(retriever.retrieve(['x'], { k: 0 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
  await expect(retriever.retrieve(['x'], { k: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  const empty = await DensePassageRetriever.build({ encoder, passages: [] });
  await expect(empty.retrieve(['x'], { k: 1 })).rejects.toMatchObject({ code: 'EMPTY_INDEX' });
});

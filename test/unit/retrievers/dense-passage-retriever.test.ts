import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { MetadataFilter } from '../../../src/corpus/filter/metadata-filter.js';
import { NgramTextEncoder } from '../../../src/encoders/ngram/ngram-text-encoder.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { DensePassageRetriever } from '../../../src/retrievers/dense-passage-retriever.js';
import { MemoryPassageStore } from '../../../src/retrievers/memory-passage-store.js';
import { matrix, matrixRow } from '../../../src/vectors/matrix.js';

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
  const index = new FlatIndex({ dimension: 256 });
  const code = (name: string) => expect.objectContaining({ code: name });
  expect(() => new MemoryPassageStore({ index, passages: PASSAGES })).toThrowError(code('LENGTH_MISMATCH'));
  expect(() => new MemoryPassageStore({ index, passages: [], metadata: [{}] })).toThrowError(
    code('LENGTH_MISMATCH'),
  );
  const store = new MemoryPassageStore({ index, passages: [] });
  expect(() => new DensePassageRetriever({ encoder, store, temperature: 0 })).toThrowError(
    code('TEMPERATURE_INVALID'),
  );
});

test('a filter leaves only passages with such metadata, and may leave none', async () => {
  const metadata = [{ kind: 'animal', legs: 2 }, { kind: 'animal', legs: 0 }, undefined];
  const filtered = await DensePassageRetriever.build({ encoder, passages: PASSAGES, metadata });
  const ids = async (filter: MetadataFilter) =>
    (await filtered.retrieve(['tower', 'robin'], { k: 3, filter })).map((hits) =>
      hits.map(({ item }) => item.id).sort(),
    );
  expect(await ids({ kind: 'animal' })).toEqual([
    ['p0', 'p1'],
    ['p0', 'p1'],
  ]);
  expect(await ids({ legs: { gt: 5 } })).toEqual([[], []]);
  await expect(ids({ legs: { near: 5 } } as unknown as MetadataFilter)).rejects.toMatchObject({
    code: 'METADATA_FILTER_INVALID',
  });
  filtered.dispose();
});

const pair = fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }));
const piece = fc.record({
  vector: pair,
  entity: fc.nat(3),
  document: fc.option(fc.nat(5), { nil: undefined }),
  good: fc.boolean(),
});

/** The query is the vector that its text spells. */
const spelled = {
  ...encoder,
  dimension: 2,
  encodeQueries: async (texts: readonly string[]) => ({
    vectors: matrix(Float32Array.from(texts.flatMap((text) => JSON.parse(text))), 2),
  }),
} as unknown as NgramTextEncoder;

test.each(['document', 'entity'] as const)(
  'the best of each %s are those of a look at every passage, with ties and filters',
  async (group) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 40 }),
        pair,
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (pieces, query, k, onlyGood) => {
          const passages = pieces.map(({ entity, document }, i) => ({
            id: `p${i}`,
            entityId: `e${entity}`,
            text: '',
            ...(document !== undefined && { documentId: `d${document}` }),
          }));
          const built = await DensePassageRetriever.build({
            encoder: spelled,
            passages,
            metadata: pieces.map(({ good }) => ({ good })),
            vectors: matrix(Float32Array.from(pieces.flatMap(({ vector }) => vector)), 2),
          });
          const options = { k, ...(onlyGood && { filter: { good: true } }) };
          const hits = await built.retrieveGroups(JSON.stringify(query), group, options);
          built.dispose();

          const scored = pieces.flatMap(({ vector, good }, i) =>
            onlyGood && !good ? [] : [{ i, score: vector[0] * query[0] + vector[1] * query[1] + 0 }],
          );
          const idOf = (i: number) => (group === 'entity' ? passages[i]!.entityId : passages[i]!.documentId);
          const ids = [...new Set(scored.map(({ i }) => idOf(i)))].filter((id) => id !== undefined);
          const expected = ids
            .map((id) => {
              const own = scored.filter(({ i }) => idOf(i) === id);
              const score = Math.max(...own.map((each) => each.score));
              return { id, score, i: own.find((each) => each.score === score)!.i };
            })
            .sort((a, b) => b.score - a.score || a.i - b.i)
            .slice(0, k);
          expect(hits.map(({ item, score, passage }) => [item, score + 0, passage.id])).toEqual(
            expected.map(({ id, score, i }) => [id, score, `p${i}`]),
          );
          const weights = expected.map(({ score }) => Math.exp((score - expected[0]!.score) / 0.1));
          const sum = weights.reduce((total, weight) => total + weight, 0);
          for (const [place, { probability }] of hits.entries()) {
            expect(probability).toBeCloseTo(weights[place]! / sum, 6);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

test('the best documents and entities take the time of the same stages, and refuse the same calls', async () => {
  const timings = {};
  await retriever.retrieveGroups('a songbird', 'entity', { k: 2 }, timings);
  expect(Object.keys(timings)).toEqual(['encodeText', 'searchPassages']);
  expect(await retriever.retrieveGroups('a songbird', 'document', { k: 2 })).toEqual([]);
  for (const k of [0, -1, 1.5, Number.NaN]) {
    await expect(retriever.retrieveGroups('x', 'entity', { k })).rejects.toMatchObject({
      code: 'K_OUT_OF_RANGE',
    });
  }
  const signal = AbortSignal.abort();
  await expect(retriever.retrieveGroups('x', 'entity', { k: 1, signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
});

test('a store that was passed in is not disposed of', async () => {
  const index = new FlatIndex({ dimension: 256 });
  const { vectors } = await encoder.encodePassages(PASSAGES.map(({ text }) => text));
  await index.add(vectors);
  const store = new MemoryPassageStore({ index, passages: PASSAGES });
  const borrowing = new DensePassageRetriever({ encoder, store });
  expect(await borrowing.retrieve(['robin'], { k: 2 })).toEqual(
    await retriever.retrieve(['robin'], { k: 2 }),
  );
  borrowing.dispose();
  expect(index.rows).toBe(3);
  store.dispose();
  expect(index.rows).toBe(0);
});

test('bad calls are refused', async () => {
  await expect(retriever.retrieve(['x'], { k: 0 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
  await expect(retriever.retrieve(['x'], { k: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  const empty = await DensePassageRetriever.build({ encoder, passages: [] });
  await expect(empty.retrieve(['x'], { k: 1 })).rejects.toMatchObject({ code: 'EMPTY_INDEX' });
});

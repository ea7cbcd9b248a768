import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixedDimensionalEncoder, MuveraIndex, recallAgainst } from '../../../src/approximate/index.js';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { rankedLists } from '../../../src/ranking/ranked-list.js';
import {
  clustered,
  clusteredDocuments,
  documentLists,
  dot,
  listsOf,
  maxSim,
  ranking,
  unit,
} from './slow-forms.js';

const dimension = 8;
const small = { repetitions: 6, hyperplanes: 3 };
const documents = clusteredDocuments(300, dimension, 5);
const queries = Array.from({ length: 10 }, (_, i) => clustered(4, dimension, 12, 5 + i));
const index = new MultiVectorIndex({ dimension });

beforeAll(() => index.add(documents.data, documents.lengths));
afterAll(() => index.dispose());

describe('MuveraIndex', () => {
  it('reranks by MaxSim the documents whose encodings are most similar, by the definition', async () => {
    const muvera = await MuveraIndex.over(index, small);
    const encoder = new FixedDimensionalEncoder({ dimension, ...small });
    const lists = documentLists(documents);
    const encodings = lists.map((document) => [
      ...encoder.encodeDocument(Float32Array.from(document.flat())),
    ]);
    for (const query of queries) {
      const encoding = [...encoder.encodeQuery(query)];
      const candidates = ranking([...lists.keys()], (row) => dot(encoding, encodings[row]!)).slice(0, 30);
      const vectors = listsOf(query, dimension);
      const expected = ranking(candidates, (row) => maxSim(vectors, lists[row]!)).slice(0, 10);
      const found = await muvera.search(query, { k: 10, candidates: 30 });
      expect([...found.rows]).toEqual(expected);
      for (const [i, row] of expected.entries()) {
        expect(found.scores[i]).toBeCloseTo(maxSim(vectors, lists[row]!), 4);
      }
      expect(found).toMatchObject({ approximate: true, rowsScored: 30 });
    }
    muvera.dispose();
  });

  it('with every document as a candidate it finds what MultiVectorIndex finds, bit for bit', async () => {
    const muvera = await MuveraIndex.over(index, small);
    for (const query of queries) {
      const [exact] = rankedLists(await index.search(query, { k: 20 }));
      const found = await muvera.search(query, { k: 20, candidates: 1000 });
      expect(found).toEqual({ ...exact, approximate: true, rowsScored: 300 });
    }
    muvera.dispose();
  });

  it('finds more among more candidates, and far more than chance among a tenth', async () => {
    const muvera = await MuveraIndex.over(index);
    const recall = async (candidates: number) => {
      let sum = 0;
      for (const query of queries) {
        const [exact] = rankedLists(await index.search(query, { k: 5 }));
        sum += recallAgainst(exact!, await muvera.search(query, { k: 5, candidates }), 5);
      }
      return sum / queries.length;
    };
    const [tenth, half] = [await recall(30), await recall(150)];
    // A tenth of the documents drawn by chance would hold a tenth of the best.
    expect(tenth).toBeGreaterThan(0.6);
    expect(half).toBeGreaterThan(tenth);
    muvera.dispose();
  });

  it('cosine: a long vector of a query counts no more than a short one', async () => {
    const cosine = new MultiVectorIndex({ dimension, metric: 'cosine' });
    await cosine.add(documents.data, documents.lengths);
    const muvera = await MuveraIndex.over(cosine, small);
    for (const query of queries) {
      const scaled = query.map((value, i) => value * 4 ** Math.floor(i / dimension));
      const units = Float32Array.from(listsOf(query, dimension).flatMap(unit));
      const found = await muvera.search(scaled, { k: 10, candidates: 20 });
      expect([...found.rows]).toEqual([...(await muvera.search(units, { k: 10, candidates: 20 })).rows]);
    }
    muvera.dispose();
    cosine.dispose();
  });

  it('takes one document, and equal documents; a removed one is not found', async () => {
    const few = new MultiVectorIndex({ dimension: 2 });
    await few.add(Float32Array.of(1, 2), Uint32Array.of(1));
    const one = await MuveraIndex.over(few, small);
    expect([...(await one.search(Float32Array.of(1, 1), { k: 1 })).rows]).toEqual([0]);
    one.dispose();
    await few.add(Float32Array.of(1, 2, 1, 2), Uint32Array.of(1, 1));
    const equal = await MuveraIndex.over(few, small);
    expect([...(await equal.search(Float32Array.of(1, 1), { k: 2, candidates: 2 })).rows]).toEqual([0, 1]);
    await few.remove(Uint32Array.of(1));
    const found = await equal.search(Float32Array.of(1, 1), { k: 3 });
    expect(found).toMatchObject({ rows: Uint32Array.of(0, 2), scores: Float64Array.of(3, 3) });
    equal.dispose();
    few.dispose();
  });

  it('refuses what it cannot do', async () => {
    const empty = new MultiVectorIndex({ dimension: 2 });
    await expect(MuveraIndex.over(empty)).rejects.toMatchObject({ code: 'EMPTY_INDEX' });
    const l2 = new MultiVectorIndex({ dimension: 2, metric: 'l2' });
    await l2.add(Float32Array.of(1, 2), Uint32Array.of(1));
    await expect(MuveraIndex.over(l2)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const unknown = { partitions: 3 } as never;
    await expect(MuveraIndex.over(index, unknown)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const signal = AbortSignal.abort();
    await expect(MuveraIndex.over(index, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    const muvera = await MuveraIndex.over(index, small);
    const [query] = queries;
    const refused = (options: object, vectors = query!) => muvera.search(vectors, { k: 5, ...options });
    await expect(refused({ candidates: 4 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ k: 301 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
    await expect(refused({ probes: 3 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({}, new Float32Array(0))).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
    const wrong = query!.slice().fill(Number.NaN, 9, 10);
    await expect(refused({}, wrong)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 1, column: 1 },
    });
    muvera.dispose();
    await expect(refused({})).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    empty.dispose();
    l2.dispose();
  });
});

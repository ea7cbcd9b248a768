import { describe, expect, it } from 'vitest';
import {
  type FeedbackSearchOptions,
  refineQuery,
  type SparseInterpolation,
  scoreMargin,
  searchWithFeedback,
} from '../../../src/feedback/index.js';
import { interpolate } from '../../../src/fusion/index.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { firstPlaces, type RankedList, rankedList, rankedLists } from '../../../src/ranking/ranked-list.js';
import { type Matrix, matrix, matrixRow } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';

const DOCUMENTS = matrix(new Seeded(11).normal(40 * 6), 6);
const QUERY = new Seeded(12).normal(6);
const SPARSE = rankedList([3, 17, 29, 8], [4, 3.5, 2, 1]);

function search(query: Float32Array): RankedList {
  const scores = Array.from({ length: DOCUMENTS.rows }, (_, row) =>
    matrixRow(DOCUMENTS, row).reduce((sum, value, i) => sum + value * query[i]!, 0),
  );
  return firstPlaces(rankedList([...scores.keys()], scores), 10);
}

function vectorsOf(rows: Uint32Array): Matrix {
  return matrix(Float32Array.from([...rows].flatMap((row) => [...matrixRow(DOCUMENTS, row)])), 6);
}

/** The steps, and what they were called with. */
function recorded() {
  const searched: Float32Array[] = [];
  const read: number[][] = [];
  return {
    searched,
    read,
    steps: {
      search: async (query: Float32Array) => {
        searched.push(query);
        return search(query);
      },
      vectorsOf: async (rows: Uint32Array) => {
        read.push([...rows]);
        return vectorsOf(rows);
      },
      refine: (query: Float32Array, feedback: Matrix) => refineQuery(query, feedback, { method: 'average' }),
    },
  };
}

/** What the two searches find, written out. */
function slow(documents: number, sparse?: SparseInterpolation): RankedList {
  const { where = 'both' } = sparse ?? {};
  const first = search(QUERY);
  const seen = sparse !== undefined && where !== 'after' ? interpolate(sparse.list, first, sparse) : first;
  const moved = refineQuery(QUERY, vectorsOf(seen.rows.slice(0, documents)), { method: 'average' });
  const second = search(moved);
  return sparse !== undefined && where !== 'before' ? interpolate(sparse.list, second, sparse) : second;
}

describe('a search with feedback', () => {
  const mixed = { list: SPARSE, weight: 0.6 };

  it.each<[string, FeedbackSearchOptions]>([
    ['alone', {}],
    ['alone, five documents', { documents: 5 }],
    ['mixed before', { sparse: { ...mixed, where: 'before' } }],
    ['mixed after', { sparse: { ...mixed, where: 'after' } }],
    ['mixed before and after', { sparse: { ...mixed, where: 'both' } }],
    ['mixed, normalised', { sparse: { ...mixed, normalisation: 'min-max' } }],
  ])('searches twice and finds what its definition finds: %s', async (_, options) => {
    const { steps, searched, read } = recorded();
    const { list, query, feedback } = await searchWithFeedback(QUERY, steps, options);
    expect(list).toEqual(
      slow(
        options.documents ?? 3,
        options.sparse && { ...options.sparse, where: options.sparse.where ?? 'both' },
      ),
    );
    expect(searched).toEqual([QUERY, query]);
    expect(read).toEqual([[...feedback]]);
    expect(feedback).toHaveLength(options.documents ?? 3);
  });

  it('takes feedback from different documents before and after', async () => {
    const before = await searchWithFeedback(QUERY, recorded().steps, {
      sparse: { ...mixed, where: 'before' },
    });
    const after = await searchWithFeedback(QUERY, recorded().steps, { sparse: { ...mixed, where: 'after' } });
    expect([...before.feedback]).not.toEqual([...after.feedback]);
    expect([...after.feedback]).toEqual([...search(QUERY).rows.slice(0, 3)]);
  });

  it.each([
    ['before', search(QUERY)],
    ['after', interpolate(SPARSE, search(QUERY), mixed)],
    ['both', interpolate(SPARSE, search(QUERY), mixed)],
  ] as const)('with too small a margin searches once, mixed in %s', async (where, expected) => {
    const { steps, searched, read } = recorded();
    const result = await searchWithFeedback(QUERY, steps, { minimumMargin: 99, sparse: { ...mixed, where } });
    expect(result.list).toEqual(expected);
    expect(result.query).toBe(QUERY);
    expect(result.feedback).toHaveLength(0);
    expect(searched).toHaveLength(1);
    expect(read).toHaveLength(0);
  });

  it('uses the feedback at just the least margin', async () => {
    const margin = scoreMargin(search(QUERY), 3);
    const at = await searchWithFeedback(QUERY, recorded().steps, { minimumMargin: margin });
    const above = await searchWithFeedback(QUERY, recorded().steps, { minimumMargin: margin + 1e-9 });
    expect([at.feedback.length, above.feedback.length]).toEqual([3, 0]);
  });

  it('that finds nothing has nothing to move towards', async () => {
    const { steps, read } = recorded();
    const nothing = async () => rankedList([], []);
    const result = await searchWithFeedback(QUERY, { ...steps, search: nothing });
    expect([result.list.rows.length, result.feedback.length, read.length]).toEqual([0, 0, 0]);
  });

  it('takes feedback from the sparse list alone where the dense search finds nothing', async () => {
    const { steps, read } = recorded();
    const nothing = async () => rankedList([], []);
    await searchWithFeedback(QUERY, { ...steps, search: nothing }, { sparse: mixed });
    expect(read).toEqual([[3, 17, 29]]);
  });

  it.each<object>([
    { documents: 0 },
    { minimumMargin: -1 },
    { minimumMargin: Number.NaN },
    { feedback: 3 },
    { sparse: { ...mixed, where: 'never' } },
    { sparse: { list: SPARSE } },
    { sparse: { ...mixed, alpha: 1 } },
  ])('refuses %j', async (options) => {
    await expect(searchWithFeedback(QUERY, recorded().steps, options as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

it('works with an index, and moves the query towards what it found', async () => {
  const index = new FlatIndex({ dimension: 6 });
  await index.add(DOCUMENTS);
  const result = await searchWithFeedback(QUERY, {
    search: async (query) => rankedLists(await index.search(query, { k: 10 }))[0]!,
    vectorsOf: (rows) => index.read(rows),
    refine: recorded().steps.refine,
  });
  expect([...result.list.rows]).toEqual([...slow(3).rows]);
  index.dispose();
});

describe('the margin', () => {
  const list = rankedList([1, 2, 3, 4], [9, 7, 4, 1]);

  it.each([
    [1, 2],
    [2, 5],
    [3, 8],
    [4, 8],
    [100, 8],
  ])('of %i places is %d', (places, margin) => {
    expect(scoreMargin(list, places)).toBe(margin);
  });

  it('is 0 for no place, for one, and among equals, infinite ones too', () => {
    expect(scoreMargin(rankedList([], []), 3)).toBe(0);
    expect(scoreMargin(rankedList([5], [2]), 1)).toBe(0);
    const infinite = rankedList([1, 2], [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(scoreMargin(infinite, 1)).toBe(0);
  });

  it.each([0, 1.5])('of %s places is refused', (places) => {
    expect(() => scoreMargin(list, places)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

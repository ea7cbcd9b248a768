import { describe, expect, it } from 'vitest';
import { centroidFeedback } from '../../../src/feedback/index.js';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { type Matrix, matrix, matrixRow } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';

const QUERY = matrix(Float32Array.of(1, 0), 2);
/** Three groups far from one another: row 0 alone, rows 1, 3 and 4, rows 2 and 5. */
const FEEDBACK = matrix(Float32Array.of(-5, -5, 0, 10, 20, 0, 0, 12, 0, 14, 22, 0), 2);

function rows(vectors: Matrix): number[][] {
  return Array.from({ length: vectors.rows }, (_, row) => [...matrixRow(vectors, row)]);
}

function maxSim(query: Matrix, document: Matrix, weights: (row: number) => number): number {
  const dot = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  let score = 0;
  for (let i = 0; i < query.rows; i++) {
    const similarities = Array.from({ length: document.rows }, (_, j) =>
      dot(matrixRow(query, i), matrixRow(document, j)),
    );
    score += weights(i) * Math.max(...similarities);
  }
  return score;
}

describe('centroids', () => {
  it('of the greatest groups come first, with the weight beta', async () => {
    const { query, weights } = await centroidFeedback(QUERY, FEEDBACK, { clusters: 3, beta: 0.5 });
    expect(rows(query)).toEqual([
      [1, 0],
      [0, 6],
      [10.5, 0],
      [-2.5, -2.5],
    ]);
    expect([...weights]).toEqual([0.5, 0.5, 0.5]);
  });

  it('are worth what the member nearest to them is worth', async () => {
    // Row 3 lies on its centroid [0, 12]; of rows 2 and 5, equally near to [21, 0], the lower one counts.
    const importance = [2, 9, 3, 1, 9, 9];
    const { query, weights } = await centroidFeedback(QUERY, FEEDBACK, { clusters: 3, importance });
    expect(rows(query).slice(1)).toEqual([
      [63, 0],
      [-10, -10],
      [0, 12],
    ]);
    expect([...weights]).toEqual([3, 2, 1]);
  });

  it('are as many as are to be added, none that is worth nothing', async () => {
    const two = await centroidFeedback(QUERY, FEEDBACK, { clusters: 3, add: 2 });
    expect(two.query.rows).toBe(3);
    const importance = [0, 0, 3, 0, 0, 0];
    const worthy = await centroidFeedback(QUERY, FEEDBACK, { clusters: 3, importance });
    expect(rows(worthy.query)).toEqual([
      [1, 0],
      [63, 0],
    ]);
    for (const nothing of [{ add: 0 }, { beta: 0 }]) {
      expect(rows((await centroidFeedback(QUERY, FEEDBACK, nothing)).query)).toEqual([[1, 0]]);
    }
  });

  it('may be normalised before they are weighted', async () => {
    const { query } = await centroidFeedback(QUERY, FEEDBACK, { clusters: 3, beta: 2, normalise: true });
    for (const [i, vector] of rows(query).slice(1).entries()) {
      expect(Math.hypot(...vector)).toBeCloseTo(2, 6);
      expect(vector[0]).toBeCloseTo([0, 2, -Math.SQRT2][i]!, 6);
    }
  });

  it('are no more than there are different vectors, or vectors', async () => {
    const alike = matrix(Float32Array.of(1, 1, 1, 1, 1, 1), 2);
    const one = await centroidFeedback(QUERY, alike, { clusters: 2 });
    expect(rows(one.query).slice(1)).toEqual([[1, 1]]);
    // No more vectors than groups: each is a group of its own.
    expect((await centroidFeedback(QUERY, alike, { clusters: 3 })).query.rows).toBe(4);
  });

  it('of no feedback are none, and the query is a copy', async () => {
    const { query, weights } = await centroidFeedback(QUERY, matrix(new Float32Array(), 2));
    expect(query).toEqual(QUERY);
    expect(query.data).not.toBe(QUERY.data);
    expect(weights).toHaveLength(0);
  });
});

it('make the sum of maxima a weighted one', async () => {
  const random = new Seeded(5);
  const dimension = 16;
  const lengths = Uint32Array.from({ length: 12 }, () => 1 + random.integer(9));
  const patches = matrix(random.normal(lengths.reduce((sum, n) => sum + n) * dimension), dimension);
  const query = matrix(random.normal(4 * dimension), dimension);
  const feedback = matrix(random.normal(40 * dimension), dimension);
  const importance = Array.from({ length: 40 }, () => random.integer(5));
  const expanded = await centroidFeedback(query, feedback, { clusters: 8, add: 6, importance, beta: 0.7 });
  const again = await centroidFeedback(query, feedback, { clusters: 8, add: 6, importance, beta: 0.7 });
  expect(again).toEqual(expanded);
  expect(expanded.query.rows).toBe(4 + expanded.weights.length);

  const unweighted = matrix(
    expanded.query.data.map((value, i) => {
      const row = Math.floor(i / dimension) - 4;
      return row < 0 ? value : value / expanded.weights[row]!;
    }),
    dimension,
  );
  const index = new MultiVectorIndex({ dimension });
  await index.add(patches, lengths);
  const hits = await index.search(expanded.query, { k: 12 });
  let first = 0;
  const slow = Array.from(lengths, (length) => {
    const document = matrix(
      patches.data.subarray(first * dimension, (first + length) * dimension),
      dimension,
    );
    first += length;
    return maxSim(unweighted, document, (i) => (i < 4 ? 1 : expanded.weights[i - 4]!));
  });
  for (const [place, row] of hits.rows.entries()) expect(hits.scores[place]).toBeCloseTo(slow[row]!, 3);
  index.dispose();
});

it.each<[string, object]>([
  ['INVALID_ARGUMENT', { clusters: 0 }],
  ['INVALID_ARGUMENT', { add: -1 }],
  ['INVALID_ARGUMENT', { beta: -1 }],
  ['INVALID_ARGUMENT', { normalise: 'yes' }],
  ['INVALID_ARGUMENT', { importance: [1, 1, 1, 1, 1, -1] }],
  ['LENGTH_MISMATCH', { importance: [1] }],
  ['INVALID_ARGUMENT', { weights: [] }],
  ['ABORTED', { signal: AbortSignal.abort() }],
])('%s for %j', async (code, options) => {
  await expect(centroidFeedback(QUERY, FEEDBACK, options)).rejects.toMatchObject({ code });
});

it('needs vectors of one dimension, all finite', async () => {
  await expect(centroidFeedback(QUERY, matrix(new Float32Array(3), 3))).rejects.toMatchObject({
    code: 'LENGTH_MISMATCH',
  });
  await expect(centroidFeedback(QUERY, matrix(Float32Array.of(1, Number.NaN), 2))).rejects.toMatchObject({
    code: 'NOT_FINITE',
  });
});

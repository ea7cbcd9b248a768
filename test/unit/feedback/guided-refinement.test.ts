import { describe, expect, it } from 'vitest';
import { type GuidedRefinementOptions, guidedRefinement } from '../../../src/feedback/guided-refinement.js';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { matrix, type RaggedMatrix } from '../../../src/vectors/matrix.js';

function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function units(count: number, dimension: number, seed: number): Float32Array {
  const next = numbersFrom(seed);
  const data = Float32Array.from({ length: count * dimension }, () => next());
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * dimension, (i + 1) * dimension);
    const norm = Math.hypot(...row);
    for (let k = 0; k < dimension; k++) row[k]! /= norm;
  }
  return data;
}

interface Pool extends GuidedRefinementOptions {
  readonly documents: RaggedMatrix;
}

function pool(queryVectors: number, lengths: number[], dimension: number, seed: number): Pool {
  const next = numbersFrom(seed + 7);
  const vectors = lengths.reduce((sum, length) => sum + length, 0);
  return {
    query: matrix(units(queryVectors, dimension, seed), dimension),
    documents: {
      data: units(vectors, dimension, seed + 1),
      lengths: Uint32Array.from(lengths),
      columns: dimension,
    },
    complementary: Float64Array.from(lengths, () => next()),
  };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, k) => sum + x * b[k]!, 0);

function softmax(scores: number[], temperature: number): number[] {
  const terms = scores.map((score) => Math.exp((score - Math.max(...scores)) / temperature));
  const sum = terms.reduce((a, b) => a + b, 0);
  return terms.map((term) => term / sum);
}

const divergence = (t: number[], p: number[]) =>
  t.reduce((sum, x, d) => sum + (x > 0 ? x * Math.log(x / p[d]!) : 0), 0);

/** Scores of the definition, and each query vector's match in each document. */
function compare(z: number[][], { data, lengths, columns }: RaggedMatrix) {
  const scores: number[] = [];
  const matches: Float32Array[][] = z.map(() => []);
  let row = 0;
  for (const length of lengths) {
    let sum = 0;
    for (const [i, vector] of z.entries()) {
      const rows = Array.from({ length }, (_, j) =>
        data.subarray((row + j) * columns, (row + j + 1) * columns),
      );
      const best = rows.reduce((a, b) => (dot(vector, b) > dot(vector, a) ? b : a));
      sum += dot(vector, best);
      matches[i]!.push(best);
    }
    scores.push(sum / z.length);
    row += length;
  }
  return { scores, matches };
}

/** In float64 throughout, with every similarity computed at every step. */
function slowRefinement({ query, documents, complementary, ...options }: Pool) {
  const { weight = 0.5, temperature = 1, learningRate = 1e-3, steps = 20, recompute = 'once' } = options;
  const z = Array.from({ length: query.rows }, (_, i) =>
    Array.from(query.data.subarray(i * query.columns, (i + 1) * query.columns)),
  );
  const first = z.map((row) => row.map(() => 0));
  const second = z.map((row) => row.map(() => 0));
  const guide = softmax([...complementary], temperature);
  const losses: number[] = [];
  let target: number[] = [];
  for (let step = 0; ; step++) {
    const { scores, matches } = compare(z, documents);
    const p = softmax(scores, temperature);
    if (step === 0 || recompute === 'each-step') {
      target = p.map((x, d) => (1 - weight) * x + weight * guide[d]!);
    }
    losses.push(divergence(target, p));
    if (step === steps) return { z: z.flat(), scores, losses };
    for (const [i, row] of z.entries()) {
      for (const k of row.keys()) {
        const slope = p.reduce((sum, x, d) => sum + (x - target[d]!) * matches[i]![d]![k]!, 0);
        const g = slope / (temperature * z.length);
        first[i]![k] = 0.9 * first[i]![k]! + 0.1 * g;
        second[i]![k] = 0.999 * second[i]![k]! + 0.001 * g * g;
        const mean = first[i]![k]! / (1 - 0.9 ** (step + 1));
        row[k]! -= (learningRate * mean) / (Math.sqrt(second[i]![k]! / (1 - 0.999 ** (step + 1))) + 1e-8);
      }
    }
  }
}

function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

describe('guidedRefinement', () => {
  it.each([
    ['several vectors', pool(6, [40, 3, 25, 1], 16, 1)],
    ['several vectors, each step', { ...pool(6, [40, 3, 25, 1], 16, 2), recompute: 'each-step' as const }],
    ['one vector', pool(1, [1, 1, 1, 1, 1], 12, 3)],
    ['a low temperature', { ...pool(3, [9, 9], 8, 4), temperature: 0.05, weight: 0.8, steps: 50 }],
  ])('follows the trajectory of the definition in float64: %s', async (_, options) => {
    const { query, scores, losses } = await guidedRefinement(options);
    const slow = slowRefinement(options);
    expect(greatestDifference(query.data, slow.z)).toBeLessThan(5e-7);
    expect(greatestDifference(scores, slow.scores)).toBeLessThan(2e-7);
    expect(greatestDifference(losses, slow.losses)).toBeLessThan(2e-7);
  });

  it('goes along the gradient that finite differences give', async () => {
    const options = { ...pool(3, [7, 5, 6], 5, 5), steps: 1, learningRate: 1e-3, temperature: 0.5 };
    const start = Array.from({ length: 3 }, (_, i) =>
      Array.from(options.query.data.subarray(i * 5, i * 5 + 5)),
    );
    const p0 = softmax(compare(start, options.documents).scores, 0.5);
    const guide = softmax([...options.complementary], 0.5);
    const target = p0.map((x, d) => (x + guide[d]!) / 2);
    const loss = (z: number[][]) => divergence(target, softmax(compare(z, options.documents).scores, 0.5));
    const { query } = await guidedRefinement(options);
    for (let i = 0; i < 3; i++) {
      for (let k = 0; k < 5; k++) {
        const [up, down] = [1e-5, -1e-5].map((by) => {
          const moved = start.map((row) => [...row]);
          moved[i]![k]! += by;
          return loss(moved);
        });
        const slope = (up! - down!) / 2e-5;
        // Adam's first step is -rate * g / (|g| + epsilon).
        const expected = (-1e-3 * slope) / (Math.abs(slope) + 1e-8);
        expect(query.data[i * 5 + k]! - options.query.data[i * 5 + k]!).toBeCloseTo(expected, 6);
      }
    }
  });

  it('averages the distributions, not the scores, and computes the target once unless asked', async () => {
    // One dimension, one vector: scores 1 and 0, complementary 0 and 3.
    const options = {
      query: matrix(Float32Array.of(1), 1),
      documents: { data: Float32Array.of(1, 0), lengths: Uint32Array.of(1, 1), columns: 1 },
      complementary: Float64Array.of(0, 3),
      steps: 400,
      learningRate: 0.05,
    };
    const target = (Math.E / (Math.E + 1) + 1 / (1 + Math.E ** 3)) / 2;
    const once = await guidedRefinement(options);
    expect(softmax([...once.scores], 1)[0]).toBeCloseTo(target, 3);
    // The scores' mean would give softmax([0.5, 1.5]): 0.269 instead of 0.389.
    expect(target).toBeCloseTo(0.389, 3);
    const moving = await guidedRefinement({ ...options, recompute: 'each-step' });
    expect(softmax([...moving.scores], 1)[0]).toBeCloseTo(1 / (1 + Math.E ** 3), 2);
  });

  it('scores as an index does the refined query', async () => {
    const options = pool(4, [30, 20, 25], 24, 6);
    const refined = await guidedRefinement(options);
    const index = new MultiVectorIndex({ dimension: 24 });
    await index.add(options.documents.data, options.documents.lengths);
    const hits = await index.search(refined.query, { k: 3 });
    for (const [place, row] of hits.rows.entries()) {
      expect(hits.scores[place]).toBe(Math.fround(refined.scores[row]! * 4));
    }
    index.dispose();
  });

  it('keeps a lone document, and a query of no steps, as they are', async () => {
    const alone = pool(2, [5], 6, 7);
    expect((await guidedRefinement(alone)).query).toEqual(alone.query);
    const still = { ...pool(2, [5, 4], 6, 8), steps: 0 };
    const { query, losses } = await guidedRefinement(still);
    expect(query).toEqual(still.query);
    expect(losses).toHaveLength(1);
  });

  it.each([
    ['INVALID_ARGUMENT', { weight: 1.5 }],
    ['INVALID_ARGUMENT', { weight: Number.NaN }],
    ['INVALID_ARGUMENT', { learningRate: 0 }],
    ['INVALID_ARGUMENT', { steps: 1.5 }],
    ['INVALID_ARGUMENT', { recompute: 'always' as 'once' }],
    ['INVALID_ARGUMENT', { stepz: 3 }],
    ['TEMPERATURE_INVALID', { temperature: 0 }],
    ['LENGTH_MISMATCH', { complementary: Float64Array.of(1) }],
    ['NOT_FINITE', { complementary: Float64Array.of(1, Number.NaN) }],
    ['LENGTH_MISMATCH', { query: matrix(Float32Array.of(1), 1) }],
    ['NOT_FINITE', { query: matrix(Float32Array.of(1, 2, 3, 4, 5, Number.NaN), 6) }],
    [
      'EMPTY_DOCUMENT',
      { documents: { data: new Float32Array(12), lengths: Uint32Array.of(2, 0), columns: 6 } },
    ],
    [
      'LENGTH_MISMATCH',
      { documents: { data: new Float32Array(12), lengths: Uint32Array.of(2, 1), columns: 6 } },
    ],
  ])('refuses with %s: %o', async (code, change) => {
    await expect(guidedRefinement({ ...pool(1, [2, 2], 6, 9), ...change })).rejects.toMatchObject({ code });
  });

  it('stops when it is aborted, and lets JavaScript run meanwhile', async () => {
    const controller = new AbortController();
    const refining = guidedRefinement({
      ...pool(8, [200, 200], 64, 10),
      steps: 100_000,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await expect(refining).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
  });
});

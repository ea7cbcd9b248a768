import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interactiveSimilarityAggregation, scoreDocuments } from '../../../src/granularity/index.js';
import { matrix } from '../../../src/vectors/matrix.js';

/** By the definition, without any care for overflow. */
function slow(c: number[], t: number, w: number[][]): number {
  const softmax = (x: number[]) => {
    const e = x.map((value) => Math.exp(value / t));
    return e.map((value) => value / e.reduce((a, b) => a + b));
  };
  const inner = softmax(c);
  const mixed = w[0]!.map((_, j) => inner.reduce((sum, value, i) => sum + value * w[i]![j]!, 0));
  return softmax(mixed).reduce((sum, weight, i) => sum + weight * c[i]!, 0);
}

const identity = (n: number) =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)));
const squareOf = (n: number) =>
  fc.array(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: n, maxLength: n }), {
    minLength: n,
    maxLength: n,
  });
const similarities = (n: number) =>
  fc.array(
    fc.integer({ min: -8, max: 8 }).map((value) => value / 8),
    { minLength: n, maxLength: n },
  );

describe('interactiveSimilarityAggregation', () => {
  it('agrees with its definition, with the identity and with a matrix', () => {
    const cases = fc.integer({ min: 1, max: 6 }).chain((n) => fc.tuple(similarities(n), squareOf(n)));
    fc.assert(
      fc.property(cases, ([c, w]) => {
        const temperature = 0.25;
        const { score, weights } = interactiveSimilarityAggregation(c, { temperature });
        expect(score).toBeCloseTo(slow(c, temperature, identity(c.length)), 10);
        expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        const mixing = matrix(Float32Array.from(w.flat()), c.length);
        const mixed = interactiveSimilarityAggregation(c, { temperature, mixing });
        expect(mixed.score).toBeCloseTo(slow(c, temperature, w), 10);
      }),
    );
  });

  it('is the mean of equal similarities, the one of one, and near the greatest of different ones', () => {
    expect(interactiveSimilarityAggregation([0.3, 0.3, 0.3, 0.3])).toEqual({
      score: 0.3,
      weights: Float64Array.of(0.25, 0.25, 0.25, 0.25),
    });
    expect(interactiveSimilarityAggregation([-0.7]).score).toBe(-0.7);
    expect(interactiveSimilarityAggregation([0.1, 0.9, 0.5]).score).toBeCloseTo(0.9, 10);
  });

  it('does not overflow where exp(c / t) would', () => {
    expect(interactiveSimilarityAggregation([5_000, 4_000, -5_000]).score).toBe(5_000);
  });

  it.each([
    ['LENGTH_MISMATCH', [], {}],
    ['NOT_FINITE', [0, Number.NaN], {}],
    ['TEMPERATURE_INVALID', [1], { temperature: 0 }],
    ['INVALID_ARGUMENT', [1], { tau: 1 }],
    ['LENGTH_MISMATCH', [1, 2], { mixing: matrix(Float32Array.of(1, 0), 2) }],
    ['NOT_FINITE', [1], { mixing: matrix(Float32Array.of(Number.NaN), 1) }],
  ])('refuses with %s %j with %j', (code, c, options) => {
    expect(() => interactiveSimilarityAggregation(c, options as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('bi-isa', () => {
  const column = (tile: number[][], j: number) => tile.map((row) => row[j]!);

  it('is the mean of words then patches and patches then words', async () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })).chain(([q, d]) =>
      fc.record({
        tile: fc.array(similarities(d), { minLength: q, maxLength: q }),
        word: squareOf(q),
        overWords: squareOf(q),
        patch: squareOf(d),
        overPatches: squareOf(d),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ tile, word, overWords, patch, overPatches }) => {
        const t = 0.25;
        const patches = tile[0]!.map((_, j) => slow(column(tile, j), t, word));
        const words = tile.map((row) => slow(row, t, patch));
        const expected = (slow(patches, t, overPatches) + slow(words, t, overWords)) / 2;
        const flat = (w: number[][]) => matrix(Float32Array.from(w.flat()), w.length);
        // The query's vectors are those of the axes, so that a document's hold its similarities.
        const axes = tile.map((_, i) => tile.map((__, k) => (i === k ? 1 : 0)));
        const documents = {
          data: Float32Array.from(tile[0]!.flatMap((_, j) => column(tile, j))),
          lengths: Uint32Array.of(tile[0]!.length),
          columns: tile.length,
        };
        const { scores } = await scoreDocuments(flat(axes), documents, 'bi-isa', {
          temperature: t,
          wordMixing: flat(word),
          overPatchesMixing: flat(overPatches),
          patchMixing: flat(patch),
          overWordsMixing: flat(overWords),
        });
        expect(scores[0]).toBeCloseTo(expected, 9);
      }),
    );
  });
});

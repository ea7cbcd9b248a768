import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  averageFeedback,
  FEEDBACK_METHODS,
  refineQuery,
  rocchioFeedback,
  type VectorFeedback,
} from '../../../src/feedback/index.js';
import { type Matrix, matrix } from '../../../src/vectors/matrix.js';

const QUERY = Float32Array.of(1, -2, 0.5);
const FEEDBACK = matrix(Float32Array.of(3, 0, 1, 0, 4, 2), 3);
const NONE = matrix(new Float32Array(), 3);

/** A query of two values and up to six documents. */
const vectors = fc.array(
  fc.tuple(fc.float({ min: -8, max: 8, noNaN: true }), fc.float({ min: -8, max: 8, noNaN: true })),
  { minLength: 1, maxLength: 7 },
);

function split(all: readonly (readonly [number, number])[]): { query: Float32Array; feedback: Matrix } {
  return { query: Float32Array.of(...all[0]!), feedback: matrix(Float32Array.from(all.slice(1).flat()), 2) };
}

it('average is the mean of the query and its documents', () => {
  expect(averageFeedback(QUERY, FEEDBACK)).toEqual(Float32Array.of(4 / 3, 2 / 3, 3.5 / 3));
  fc.assert(
    fc.property(vectors, (all) => {
      const { query, feedback } = split(all);
      const mean = [0, 1].map((column) => all.reduce((sum, vector) => sum + vector[column]!, 0) / all.length);
      const moved = averageFeedback(query, feedback);
      for (const column of [0, 1]) expect(moved[column]).toBeCloseTo(mean[column]!, 5);
    }),
  );
});

it('Rocchio is alpha q + beta mean(d)', () => {
  expect(rocchioFeedback(QUERY, FEEDBACK)).toEqual(
    Float32Array.of(0.4 + 0.6 * 1.5, 0.4 * -2 + 0.6 * 2, 0.4 * 0.5 + 0.6 * 1.5),
  );
  fc.assert(
    fc.property(
      vectors,
      fc.double({ min: -1, max: 2, noNaN: true }),
      fc.double({ min: -1, max: 2, noNaN: true }),
      (all, alpha, beta) => {
        fc.pre(all.length > 1);
        const { query, feedback } = split(all);
        const moved = rocchioFeedback(query, feedback, { alpha, beta });
        for (const column of [0, 1]) {
          const documents = all.slice(1).map((vector) => vector[column]!);
          const mean = documents.reduce((sum, value) => sum + value, 0) / documents.length;
          expect(moved[column]).toBeCloseTo(alpha * query[column]! + beta * mean, 4);
        }
      },
    ),
  );
});

it('average is Rocchio with weights 1 / (m + 1) and m / (m + 1)', () => {
  const rocchio = rocchioFeedback(QUERY, FEEDBACK, { alpha: 1 / 3, beta: 2 / 3 });
  for (const [i, value] of averageFeedback(QUERY, FEEDBACK).entries())
    expect(rocchio[i]).toBeCloseTo(value, 6);
});

describe.each<VectorFeedback>([{ method: 'average' }, { method: 'rocchio' }])('%j', (method) => {
  it('leaves the query as it is without documents, and is a copy of it', () => {
    const moved = refineQuery(QUERY, NONE, method);
    expect(moved).toEqual(QUERY);
    expect(moved).not.toBe(QUERY);
  });

  it('has any norm, or 1 where that is asked for', () => {
    const norm = (vector: Float32Array): number => Math.hypot(...vector);
    const plain = refineQuery(QUERY, FEEDBACK, method);
    const unit = refineQuery(QUERY, FEEDBACK, { ...method, normalise: true });
    expect(norm(plain)).toBeGreaterThan(1.1);
    expect(norm(unit)).toBeCloseTo(1, 6);
    for (const [i, value] of unit.entries()) expect(value).toBeCloseTo(plain[i]! / norm(plain), 6);
    const opposite = refineQuery(new Float32Array(3), matrix(new Float32Array(3), 3), {
      ...method,
      normalise: true,
    });
    expect(opposite).toEqual(new Float32Array(3));
  });

  it('does not depend on the order of documents whose sums are exact', () => {
    const turned = matrix(Float32Array.of(0, 4, 2, 3, 0, 1), 3);
    expect(refineQuery(QUERY, turned, method)).toEqual(refineQuery(QUERY, FEEDBACK, method));
  });

  it.each<[string, unknown, unknown]>([
    ['INVALID_ARGUMENT', [1, 2, 3], FEEDBACK],
    ['INVALID_ARGUMENT', QUERY, undefined],
    ['LENGTH_MISMATCH', QUERY, matrix(new Float32Array(4), 2)],
    ['LENGTH_MISMATCH', QUERY, { data: new Float32Array(5), rows: 2, columns: 3 }],
  ])('%s for a query or feedback of another kind', (code, query, feedback) => {
    expect(() => refineQuery(query as Float32Array, feedback as Matrix, method)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

it.each([
  { method: 'centroid' },
  { method: 'average', alpha: 1 },
  { method: 'rocchio', beta: Number.NaN },
  { method: 'rocchio', normalise: 1 },
])('%j is refused', (method) => {
  expect(() => refineQuery(QUERY, FEEDBACK, method as VectorFeedback)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
  expect(Object.keys(FEEDBACK_METHODS)).toEqual(['average', 'rocchio']);
});

import { describe, expect, it } from 'vitest';
import {
  decodeResiduals,
  encodeResiduals,
  type ResidualBits,
  residualBuckets,
} from '../../../src/approximate/index.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';
import { argMax, dot, listsOf, unit } from './slow-forms.js';

const BITS = [1, 2, 4] as const;

/** The quantile by its definition: linear between the sorted values. */
function slowQuantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below * (1 - (place % 1)) + above * (place % 1);
}

function codecOf(dimension: number, bits: ResidualBits, seed: number) {
  const centroids = matrix(
    Float32Array.from(listsOf(new Seeded(seed).normal(5 * dimension), dimension).flatMap(unit)),
    dimension,
  );
  const vectors = matrix(
    Float32Array.from(listsOf(new Seeded(seed + 1).normal(40 * dimension), dimension).flatMap(unit)),
    dimension,
  );
  const centres = listsOf(centroids.data, dimension);
  const assignments = Uint32Array.from(listsOf(vectors.data, dimension), (x) =>
    argMax(centres.map((c) => dot(x, c))),
  );
  const residuals = vectors.data.map(
    (value, i) => value - centres[assignments[Math.floor(i / dimension)]!]![i % dimension]!,
  );
  const codec = { centroids, bits, ...residualBuckets(residuals, bits) };
  return { codec, vectors, assignments, residuals };
}

describe('residualBuckets', () => {
  it('has the example: of 0 to 8 in two bits', () => {
    const { cutoffs, values } = residualBuckets(Float32Array.of(8, 1, 0, 2, 7, 4, 3, 6, 5), 2);
    expect([...cutoffs]).toEqual([2, 4, 6]);
    expect([...values]).toEqual([1, 3, 5, 7]);
  });

  it.each(BITS)('%i bits: cutoffs and values are quantiles', (bits) => {
    const residuals = new Seeded(bits).normal(1001);
    const { cutoffs, values } = residualBuckets(residuals, bits);
    const count = 2 ** bits;
    expect([cutoffs.length, values.length]).toEqual([count - 1, count]);
    for (const [i, cutoff] of cutoffs.entries()) {
      expect(cutoff).toBeCloseTo(slowQuantile([...residuals], (i + 1) / count), 5);
    }
    for (const [i, value] of values.entries()) {
      expect(value).toBeCloseTo(slowQuantile([...residuals], (i + 0.5) / count), 5);
    }
  });

  it('takes one residual and equal ones, and leaves them as they are', () => {
    expect([...residualBuckets(Float32Array.of(0.5), 1).values]).toEqual([0.5, 0.5]);
    const own = Float32Array.of(3, 1, 2);
    residualBuckets(own, 2);
    expect([...own]).toEqual([3, 1, 2]);
  });

  it('refuses other numbers of bits, and no residuals', () => {
    for (const bits of [0, 3, 8]) {
      expect(() => residualBuckets(Float32Array.of(1), bits as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
    expect(() => residualBuckets(new Float32Array(0), 2)).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
    );
  });
});

describe('encodeResiduals and decodeResiduals', () => {
  it.each(BITS.flatMap((bits) => [8, 5, 1].map((dimension) => [bits, dimension] as const)))(
    '%i bits of %i numbers: a vector comes back as the centroid and the values of its buckets, as a unit vector',
    (bits, dimension) => {
      const { codec, vectors, assignments, residuals } = codecOf(dimension, bits, 10 * dimension + bits);
      const packed = encodeResiduals(codec, vectors, assignments);
      expect(packed).toHaveLength(40 * Math.ceil((dimension * bits) / 8));
      const rows = Uint32Array.of(39, 0, 7, 7);
      const decoded = decodeResiduals(codec, { centroids: assignments, residuals: packed }, rows);
      for (const [place, row] of rows.entries()) {
        const own = [...residuals.subarray(row * dimension, (row + 1) * dimension)];
        const values = own.map(
          (r) => codec.values[[...codec.cutoffs].filter((cutoff) => cutoff < r).length]!,
        );
        const centroid = listsOf(codec.centroids.data, dimension)[assignments[row]!]!;
        const expected = unit(centroid.map((c, d) => c + values[d]!));
        for (let d = 0; d < dimension; d++) {
          expect(decoded.data[place * dimension + d]).toBeCloseTo(expected[d]!, 5);
        }
      }
    },
  );

  it('a residual on a cutoff lies in the lower bucket', () => {
    const codec = {
      centroids: matrix(Float32Array.of(0, 0), 2),
      bits: 1 as const,
      cutoffs: Float32Array.of(0.25),
      values: Float32Array.of(-1, 1),
    };
    expect([...encodeResiduals(codec, matrix(Float32Array.of(0.25, 0.26), 2), Uint32Array.of(0))]).toEqual([
      0b10,
    ]);
  });

  it('comes nearer to the vectors with more bits', () => {
    const errors = BITS.map((bits) => {
      const { codec, vectors, assignments } = codecOf(32, bits, 3);
      const packed = encodeResiduals(codec, vectors, assignments);
      const rows = Uint32Array.from({ length: 40 }, (_, row) => row);
      const decoded = decodeResiduals(codec, { centroids: assignments, residuals: packed }, rows);
      return decoded.data.reduce((sum, value, i) => sum + (value - vectors.data[i]!) ** 2, 0) / 40;
    });
    expect(errors[1]!).toBeLessThan(errors[0]! / 2);
    expect(errors[2]!).toBeLessThan(errors[1]! / 4);
  });
});

import type { RaggedMatrix } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';

/** Row after row as lists of numbers. */
export function listsOf(data: ArrayLike<number>, dimension: number): number[][] {
  return Array.from({ length: data.length / dimension }, (_, row) =>
    Array.from({ length: dimension }, (_, d) => data[row * dimension + d]!),
  );
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}

export function unit(x: readonly number[]): number[] {
  const norm = Math.sqrt(dot(x, x));
  return x.map((value) => (norm > 0 ? value / norm : value));
}

/** Number of the greatest, the first of equal ones. */
export function argMax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

export function maxSim(query: number[][], document: number[][]): number {
  return query.reduce((sum, q) => sum + Math.max(...document.map((x) => dot(q, x))), 0);
}

/** Numbers by score descending, then number ascending. */
export function ranking(numbers: readonly number[], score: (number: number) => number): number[] {
  return [...numbers].sort((a, b) => score(b) - score(a) || a - b);
}

/** Vectors around a few centres, as real ones are. */
export function clustered(count: number, dimension: number, centres: number, seed: number): Float32Array {
  const random = new Seeded(seed);
  const means = random.normal(centres * dimension);
  const vectors = random.normal(count * dimension);
  for (let row = 0; row < count; row++) {
    const centre = random.integer(centres);
    for (let d = 0; d < dimension; d++) {
      vectors[row * dimension + d] = means[centre * dimension + d]! + 0.3 * vectors[row * dimension + d]!;
    }
  }
  return vectors;
}

/** Documents of 1 to 8 such vectors. */
export function clusteredDocuments(count: number, dimension: number, seed: number): RaggedMatrix {
  const random = new Seeded(seed + 1000);
  const lengths = Uint32Array.from({ length: count }, () => 1 + random.integer(8));
  const vectors = lengths.reduce((a, b) => a + b, 0);
  return { data: clustered(vectors, dimension, 12, seed), lengths, columns: dimension };
}

/** Document after document, vector after vector. */
export function documentLists({ data, lengths, columns }: RaggedMatrix): number[][][] {
  const rows = listsOf(data, columns);
  let at = 0;
  return [...lengths].map((length) => {
    at += length;
    return rows.slice(at - length, at);
  });
}

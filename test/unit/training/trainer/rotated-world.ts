import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import type { JudgedQueries, RetrieverData } from '../../../../src/training/trainer/training-data.js';
import { matrix } from '../../../../src/vectors/matrix.js';

/** Unit documents, and for each a query that is the document under one rotation of the space: what a linear tower can learn, and how well, is known. */
export function rotatedWorld({
  documents = 160,
  dev = 40,
  dimension = 16,
  seed = 'world',
} = {}): RetrieverData {
  const random = new SeededRandom(seed);
  const rows = Array.from({ length: documents }, () => unit(normals(random, dimension)));
  const axes = rotation(random, dimension);
  const queries = rows.map((row) => axes.map((axis) => dot(axis, row)));
  const judged = (first: number, end: number): JudgedQueries => ({
    vectors: matrix(Float32Array.from(queries.slice(first, end).flat()), dimension),
    positives: Array.from({ length: end - first }, (_, i) => [first + i]),
  });
  return {
    documents: matrix(Float32Array.from(rows.flat()), dimension),
    train: judged(0, documents - dev),
    dev: judged(documents - dev, documents),
  };
}

/** Orthonormal rows, by Gram and Schmidt. */
function rotation(random: SeededRandom, dimension: number): number[][] {
  const axes: number[][] = [];
  while (axes.length < dimension) {
    let axis = normals(random, dimension);
    for (const other of axes) {
      const along = dot(other, axis);
      axis = axis.map((x, i) => x - along * other[i]!);
    }
    axes.push(unit(axis));
  }
  return axes;
}

const normals = (random: SeededRandom, length: number) => Array.from({ length }, () => random.normal());
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const unit = (a: readonly number[]) => a.map((x) => x / Math.sqrt(dot(a, a)));

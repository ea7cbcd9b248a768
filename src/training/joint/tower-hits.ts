import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';
import { checkLength } from '../losses/loss-arguments.js';
import type { ForwardOptions } from '../towers/tower.js';
import type { TowerPass } from '../towers/tower-pass.js';

/** What was found for mapped queries. */
export class TowerHits {
  /** queries x k row numbers, best first. */
  readonly rows: Uint32Array;
  /** queries x k inner products of the mapped query that found the row, and the row. */
  readonly scores: Float32Array;
  readonly #pass: TowerPass<Matrix>;
  readonly #vectors: Matrix;
  readonly #k: number;

  /** @internal */
  constructor(pass: TowerPass<Matrix>, vectors: Matrix, rows: Uint32Array, scores: Float32Array, k: number) {
    this.#pass = pass;
    this.#vectors = vectors;
    this.rows = rows;
    this.scores = scores;
    this.#k = k;
  }

  /**
   * Adds dL/dparameter of the tower: dL/dy of a query = sum over its hits of dL/ds row, in float64 in the order of the hits.
   *
   * @param gradient - dL/ds, as `scores` lie
   */
  async backward(gradient: Float64Array, options: ForwardOptions = {}): Promise<void> {
    checkLength(gradient.length, 'gradient', this.scores.length);
    const { columns } = this.#vectors;
    const queries = gradient.length / this.#k;
    const slopes = new Float32Array(queries * columns);
    const sums = new Float64Array(columns);
    for (let query = 0; query < queries; query++) {
      sums.fill(0);
      for (let place = query * this.#k; place < (query + 1) * this.#k; place++) {
        const row = matrixRow(this.#vectors, this.rows[place]!);
        for (let i = 0; i < columns; i++) sums[i]! += gradient[place]! * row[i]!;
      }
      slopes.set(sums, query * columns);
    }
    await this.#pass.backward(matrix(slopes, columns), options);
  }
}

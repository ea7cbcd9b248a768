import { GranuleError } from '../errors.js';
import { checkUint32 } from '../index/arguments.js';
import { type Matrix, matrixRow } from '../vectors/matrix.js';
import { referenceSimilarity } from '../vectors/reference-similarity.js';
import { checkPair } from './matched-vectors.js';

/** A document's score while its vectors go or come, one after another. */
export interface FaithfulnessCurve {
  /** After 0, 1, ... vectors of the order: one more than there are. */
  readonly scores: Float64Array;
  /** Mean height, by the trapezoidal rule over the share of the order from 0 to 1; with an empty order the one score. */
  readonly area: number;
}

/**
 * Deletion: MaxSim after the first m vectors of `order` were taken out of the document, m = 0 .. order.length. Where the order names
 * what the score rests on, the curve falls fast: a small area is good. A document that has lost all its vectors scores 0.
 * O(n_q n_d d), not more than one MaxSim: the vectors are put back from the end.
 *
 * Source: Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models" (2018), with vectors for pixels.
 *
 * @param query - n_q x d
 * @param document - n_d x d
 * @param order - different rows of the document, as `evidenceOrder` gives them, or a first part of them
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`, `ROW_NOT_FOUND`
 */
export function deletionCurve(query: Matrix, document: Matrix, order: Uint32Array): FaithfulnessCurve {
  const named = checkOrder(query, document, order);
  const kept = new Uint32Array(document.rows).map((_, row) => row).filter((row) => !named.has(row));
  const growing = new GrowingDocument(query, document);
  for (const row of kept) growing.add(row);
  const scores = new Float64Array(order.length + 1);
  scores[order.length] = growing.score();
  for (let m = order.length - 1; m >= 0; m--) {
    growing.add(order[m]!);
    scores[m] = growing.score();
  }
  return { scores, area: areaUnder(scores) };
}

/**
 * Insertion: MaxSim of the first m vectors of `order` alone, m = 0 .. order.length, 0 for none. Where the order names what the score
 * rests on, the curve rises fast: a large area is good. O(n_q order.length d).
 *
 * Source and parameters as for `deletionCurve`.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`, `ROW_NOT_FOUND`
 */
export function insertionCurve(query: Matrix, document: Matrix, order: Uint32Array): FaithfulnessCurve {
  checkOrder(query, document, order);
  const growing = new GrowingDocument(query, document);
  const scores = new Float64Array(order.length + 1);
  for (const [m, row] of order.entries()) {
    growing.add(row);
    scores[m + 1] = growing.score();
  }
  return { scores, area: areaUnder(scores) };
}

/** MaxSim of a document that gets its vectors one by one. */
class GrowingDocument {
  readonly #query: Matrix;
  readonly #document: Matrix;
  readonly #best: Float32Array;
  #vectors = 0;

  constructor(query: Matrix, document: Matrix) {
    this.#query = query;
    this.#document = document;
    this.#best = new Float32Array(query.rows).fill(-Infinity);
  }

  /** Puts in a vector. */
  add(row: number): void {
    const vector = matrixRow(this.#document, row);
    this.#vectors++;
    for (let i = 0; i < this.#query.rows; i++) {
      const similarity = referenceSimilarity(matrixRow(this.#query, i), vector);
      if (similarity > this.#best[i]!) this.#best[i] = similarity;
    }
  }

  /** MaxSim of what is there. */
  score(): number {
    return this.#vectors === 0 ? 0 : this.#best.reduce((sum, similarity) => sum + similarity, 0);
  }
}

function checkOrder(query: Matrix, document: Matrix, order: Uint32Array): Set<number> {
  checkPair(query, document);
  const named = new Set<number>();
  for (const row of checkUint32(order, 'order')) {
    if (row >= document.rows) {
      throw new GranuleError('ROW_NOT_FOUND', `the document has ${document.rows} vectors, no row ${row}`, {
        row,
      });
    }
    if (named.has(row)) throw new GranuleError('INVALID_ARGUMENT', `order holds row ${row} twice`, { row });
    named.add(row);
  }
  return named;
}

function areaUnder(scores: Float64Array): number {
  const steps = scores.length - 1;
  if (steps === 0) return scores[0]!;
  let area = 0;
  for (let m = 0; m < steps; m++) area += (scores[m]! + scores[m + 1]!) / 2;
  return area / steps;
}

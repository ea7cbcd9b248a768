import { GranuleError } from '../errors.js';
import {
  checkFloat32,
  checkIndexOptions,
  checkKeys,
  checkQueries,
  checkSignal,
  checkTemperature,
  checkUint32,
  show,
} from '../index/arguments.js';
import { abortable } from '../native/abortable.js';
import { loadAddon } from '../native/load-addon.js';
import { type Matrix, matrix, type RaggedMatrix } from '../vectors/matrix.js';

const MAX_STEPS = 100_000;

/** What `guidedRefinement` works on, and how. */
export interface GuidedRefinementOptions {
  /** The primary retriever's query: one vector, or one per token; n x dimension finite values. */
  readonly query: Matrix;
  /** Vectors of the pool's documents, as the primary retriever has them: one each, or one per patch or token. */
  readonly documents: RaggedMatrix;
  /** What the complementary retriever scores each document of the pool; finite, greater is better. */
  readonly complementary: Float64Array;
  /** Share a of the complementary retriever in the target, 0 to 1; 0.5 by default. */
  readonly weight?: number | undefined;
  /** T of both softmaxes, above 0; 1 by default. */
  readonly temperature?: number | undefined;
  /** Adam's rate, above 0; 1e-3 by default. Published choices lie from 1e-5 to 5e-3. */
  readonly learningRate?: number | undefined;
  /** Steps of Adam, 0 to 100,000; 20 by default. Published choices lie from 10 to 50. */
  readonly steps?: number | undefined;
  /**
   * When the target is computed: `once`, the default, from the query as given; `each-step` from the query of the moment, a
   * constant for the gradient.
   */
  readonly recompute?: 'once' | 'each-step' | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** A query that was moved towards what two retrievers agree on. */
export interface GuidedQuery {
  /** As many vectors as the query had. */
  readonly query: Matrix;
  /** Per document of the pool MaxSim / n of the refined query, in float64. */
  readonly scores: Float64Array;
  /** The loss before each step and, last, after all: steps + 1 numbers. */
  readonly losses: Float64Array;
  /** Similarities that were computed; computing all at each step would have been (steps + 1) x n x documents' vectors. */
  readonly comparisons: number;
}

/**
 * Guided Query Refinement: moves a query, and nothing else, until its scores agree better with those of a second,
 * complementary retriever. With the query's vectors z_i, i = 1 .. n, and the documents of the pool
 *
 *     s(d) = 1/n sum_i max_j <z_i, x_dj>                                                       (MaxSim / n)
 *     p = softmax(s / T)            c = softmax(complementary / T)              (over the pool)
 *     t = (1 - weight) p0 + weight c                           p0: p of the query as given, or the present p
 *     L = KL(t || p)
 *     dL/dz_i = 1 / (T n) sum_d (p_d - t_d) x_{d, a(i,d)}                  a(i,d) = argmax_j <z_i, x_dj>, anew each step
 *
 * and each step is one of Adam (b1 0.9, b2 0.999, epsilon 1e-8) on z. The two distributions are averaged, not the scores,
 * so that scores of different scales need no calibration beyond the one T; scale the complementary scores where theirs is
 * far from that of inner products. The division by n keeps T independent of the query's length.
 *
 * The pool is usually the union of both retrievers' ten best. `rankedList(rows, refined.scores)` ranks it anew; the
 * refined query can also search again.
 *
 * z is kept in float64 and rounded to float32 where it is compared; similarities are those of `MultiVectorIndex` with
 * metric `ip`, first of equal vectors. Similarities that bounds show to be below the best are not computed, so a step
 * costs O(n x documents x dimension) and a little for the documents' vectors; results are those of computing all, the same bits on
 * every machine and with every number of threads. Memory: about 1 byte per number of the documents and 8 n bytes per
 * vector of them. Arrays are read where they lie: leave them as they are until the promise settles.
 *
 * Source: "Guided Query Refinement: Multimodal Hybrid Retrieval with Test-Time Optimization" (2025), whose released code
 * computes the target once.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT` (`details.row` in `documents.lengths`),
 * `TEMPERATURE_INVALID`, `NOT_FINITE` (`details.row` and `.column` in `query` or `documents`; `details.row` alone where a
 * similarity is beyond float32, or in `complementary`), `OUT_OF_MEMORY`, `ABORTED`
 *
 * @example
 * ```ts
 * const { query, scores } = await guidedRefinement({
 *   query: matrix(Float32Array.of(1, 0), 2),
 *   documents: { data: Float32Array.of(0.9, 0.1, 0.8, 0.6), lengths: Uint32Array.of(1, 1), columns: 2 },
 *   complementary: Float64Array.of(0, 1),
 *   learningRate: 5e-3,
 *   steps: 50,
 * });
 * scores[1]! > scores[0]!; // true: the second retriever preferred the second document
 * ```
 */
export async function guidedRefinement(options: GuidedRefinementOptions): Promise<GuidedQuery> {
  checkKeys(options, [
    'query',
    'documents',
    'complementary',
    'weight',
    'temperature',
    'learningRate',
    'steps',
    'recompute',
    'threads',
    'signal',
  ]);
  const { query, documents, weight = 0.5, learningRate = 1e-3, steps = 20, recompute = 'once' } = options;
  const { dimension, threads } = checkIndexOptions({
    dimension: documents.columns,
    threads: options.threads,
  });
  const queryVectors = checkQueries(query, dimension, 'query');
  const vectors = checkFloat32(documents.data, 'documents.data');
  // Copied, for the addon sizes its memory by them: they must not change under its hands.
  const lengths = checkUint32(documents.lengths, 'documents.lengths').slice();
  checkLengths(lengths, vectors.length / dimension);
  const complementary = checkScores(options.complementary, lengths.length);
  if (typeof weight !== 'number' || !(weight >= 0 && weight <= 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `weight must be a number from 0 to 1, got ${show(weight)}`);
  }
  if (typeof learningRate !== 'number' || !Number.isFinite(learningRate) || learningRate <= 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `learningRate must be a finite number above 0, got ${show(learningRate)}`,
    );
  }
  if (!Number.isInteger(steps) || steps < 0 || steps > MAX_STEPS) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `steps must be a whole number from 0 to ${MAX_STEPS}, got ${show(steps)}`,
    );
  }
  if (recompute !== 'once' && recompute !== 'each-step') {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `recompute must be 'once' or 'each-step', got ${show(recompute)}`,
    );
  }
  const temperature = checkTemperature(options.temperature ?? 1);
  const signal = checkSignal(options.signal);
  const result = {
    query: new Float32Array(queryVectors.length),
    scores: new Float64Array(lengths.length),
    losses: new Float64Array(steps + 1),
  };
  const comparisons = await abortable(signal, (cancel) =>
    loadAddon().refineQuery(
      queryVectors,
      vectors,
      lengths,
      complementary,
      {
        dimension,
        weight,
        temperature,
        learningRate,
        steps,
        movingTarget: recompute === 'each-step',
        threads,
        cancel,
      },
      result,
    ),
  );
  return {
    query: matrix(result.query, dimension),
    scores: result.scores,
    losses: result.losses,
    comparisons,
  };
}

function checkLengths(lengths: Uint32Array, vectors: number): void {
  if (lengths.length === 0) {
    throw new GranuleError('INVALID_ARGUMENT', 'documents must hold at least one document');
  }
  let sum = 0;
  for (const [row, length] of lengths.entries()) {
    if (length === 0) throw new GranuleError('EMPTY_DOCUMENT', `document ${row} has no vectors`, { row });
    sum += length;
  }
  if (sum !== vectors) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the lengths add up to ${sum} vectors, but there are ${vectors}`,
      { sum, vectors },
    );
  }
}

/** A copy of the scores: they must not change while the engine reads them. */
function checkScores(scores: Float64Array, documents: number): Float64Array {
  if (!(scores instanceof Float64Array)) {
    throw new GranuleError('INVALID_ARGUMENT', `complementary must be a Float64Array, got ${show(scores)}`);
  }
  if (scores.length !== documents) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `complementary must hold a score for each of the ${documents} documents, got ${scores.length}`,
      { length: scores.length, documents },
    );
  }
  const row = scores.findIndex((score) => !Number.isFinite(score));
  if (row !== -1) {
    throw new GranuleError('NOT_FINITE', `the complementary score of document ${row} is ${scores[row]}`, {
      row,
    });
  }
  return scores.slice();
}

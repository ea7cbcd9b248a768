import { GranuleError } from '../../errors.js';
import {
  checkFloat32,
  checkIndexOptions,
  checkSignal,
  checkUint32,
  MAX_PLACES,
} from '../../index/arguments.js';
import type { VectorMatches } from '../../index/multi-vector-hits.js';
import { abortable } from '../../native/abortable.js';
import { loadAddon } from '../../native/load-addon.js';
import type { NativeDocumentScores } from '../../native/multi-vector-types.js';
import type { Matrix, RaggedMatrix } from '../../vectors/matrix.js';
import { checkedScoring } from './checked-scoring.js';
import type { MultiVectorScoreName, MultiVectorScoreOptions } from './multi-vector-scores.js';
import type { ScoringOptions } from './similarity-tile.js';
import { checkQueryVectors } from './vector-checks.js';

/** How well each document fits a query. */
export class ScoredDocuments {
  /** One per document, in their order; -Infinity for a document without vectors. */
  readonly scores: Float64Array;
  readonly #vectors: Uint32Array;
  readonly #similarities: Float32Array;

  /** @param native - what the engine filled in */
  constructor({ scores, vectors, similarities }: NativeDocumentScores) {
    this.scores = scores;
    this.#vectors = vectors;
    this.#similarities = similarities;
  }

  /**
   * What speaks for a document's score, as views: per query vector the document's vector that is most similar to it, the first of
   * equal ones. Of a document without vectors 0xffffffff and -Infinity.
   *
   * @param document - its number
   * @returns undefined where there is no such document
   */
  matches(document: number): VectorMatches | undefined {
    if (!(document >= 0 && document < this.scores.length)) return undefined;
    const queryVectors = this.#vectors.length / this.scores.length;
    const [start, end] = [document * queryVectors, (document + 1) * queryVectors];
    return {
      vectors: this.#vectors.subarray(start, end),
      similarities: this.#similarities.subarray(start, end),
    };
  }
}

/**
 * Scores documents, candidates of a search, by their vectors. Lengths are explicit: nothing is padded, so that similarities
 * below 0 count as they are.
 *
 * All work runs on threads of the engine, documents side by side, O(n_q n_d d) per document; a long document is the work of one
 * thread, with 4 bytes for each of its n_q n_d similarities. Results are the same bits on every machine and with every number of threads.
 * Arrays are read where they lie: leave them as they are, and do not transfer them, until the promise settles. `MultiVectorIndex` searches
 * by MaxSim over whole corpora.
 *
 * @param query - n_q x d finite values, n_q at least 1, d up to 65,536
 * @param documents - lists of vectors of d finite values; a list may be empty
 * @param name - of `MULTI_VECTOR_SCORES`
 * @param options - of that score, `threads` and `signal`
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH` (also for a query without vectors); `NOT_FINITE`
 * with the query vector as `details.row` and the vector within the document as `details.column`; `TEMPERATURE_INVALID`;
 * `OUT_OF_MEMORY`, also where a document has more than 2^28 similarities with the query, or all have more than so many matches; `ABORTED`
 *
 * @example
 * ```ts
 * const scored = await scoreDocuments(tokens, pages, 'smooth-maxsim', { temperature: 0.05 });
 * const ranked = rankedList(pageRows, scored.scores);
 * scored.matches(0)?.vectors; // per token the patch of the first page that fits it best
 * ```
 */
export async function scoreDocuments<Name extends MultiVectorScoreName>(
  query: Matrix,
  documents: RaggedMatrix,
  name: Name,
  options: MultiVectorScoreOptions<Name> & ScoringOptions = {} as MultiVectorScoreOptions<Name>,
): Promise<ScoredDocuments> {
  const data = checkFloat32(documents.data, 'documents.data');
  // Copied, for the addon finds the documents by them: they must not change under its hands.
  const lengths = checkUint32(documents.lengths, 'documents.lengths').slice();
  const { dimension, threads } = checkIndexOptions({
    dimension: documents.columns,
    threads: options.threads,
  });
  const queryData = checkQueryVectors(query, dimension);
  const queryVectors = queryData.length / dimension;
  checkSizes(lengths, data.length, dimension, queryVectors);
  const scoring = checkedScoring(name, options, queryVectors, lengths, ['threads', 'signal']);
  const signal = checkSignal(options.signal);
  const places = lengths.length * queryVectors;
  const result = {
    scores: new Float64Array(lengths.length),
    vectors: new Uint32Array(places),
    similarities: new Float32Array(places),
  };
  await abortable(signal, (cancel) =>
    loadAddon().scoreDocuments(queryData, data, lengths, { ...scoring, dimension, threads, cancel }, result),
  );
  return new ScoredDocuments(result);
}

function checkSizes(lengths: Uint32Array, values: number, dimension: number, queryVectors: number): void {
  let [vectors, longest] = [0, 0];
  for (const length of lengths) {
    vectors += length;
    if (length > longest) longest = length;
  }
  if (vectors * dimension !== values) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the documents hold ${values} values, their lengths ask for ${vectors} x ${dimension}`,
      { length: values, vectors, columns: dimension },
    );
  }
  for (const [what, count] of [
    ['vectors of a document', longest],
    ['documents', lengths.length],
  ] as const) {
    if (count * queryVectors <= MAX_PLACES) continue;
    throw new GranuleError(
      'OUT_OF_MEMORY',
      `${queryVectors} query vectors and ${count} ${what} make more than ${MAX_PLACES} places; divide the query`,
      { queryVectors, count },
    );
  }
}

import { GranuleError } from '../errors.js';
import type { Matrix } from '../vectors/matrix.js';
import { checkK, checkKeys, checkQueries, checkSignal } from './arguments.js';
import type { Hits } from './hits.js';
import type { MultiVectorIndex } from './multi-vector-index.js';
import type { PooledBounds } from './pooled-bounds.js';

/** Options of `certifiedPooledSearch`. */
export interface CertifiedPooledSearchOptions {
  /** How many documents to return, 1 to all. */
  readonly k: number;
  /** Stops the search. */
  readonly signal?: AbortSignal | undefined;
}

/** Least documents that are ranked by their bounds at first, and least that are scored in full at once. */
const LEAST_WINDOW = 256;
const LEAST_BATCH = 16;

/**
 * The k best documents of one query by their own vectors, found through their pooled ones: documents are scored in full
 * in decreasing order of their upper bounds, until the k-th best score is above the next bound. Rows and scores are those
 * of `documents.search`, bit for bit.
 *
 * It saves work where few documents come near the k-th score: small radii (mild pooling, near-duplicate vectors). Where
 * radii are large all documents are scored in full, and the bounds come on top; `certificate.rowsRescored` tells.
 *
 * @param documents - an index of the vectors that were pooled, in the same order, with the same metric, in float32, without
 * biases
 * @param bounds - of the same documents
 * @param queryVectors - the vectors of one query: one or more rows of dimension finite values
 * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE` (also for a query
 * vector whose norm is beyond float32), `ABORTED`, `INDEX_DISPOSED`
 *
 * @example
 * ```ts
 * const pooled = await poolVectors(patches, lengths, { dimension: 128, method: 'ward', factor: 2 });
 * const bounds = await PooledBounds.create(pooled);
 * const hits = await certifiedPooledSearch(pages, bounds, queryVectors, { k: 10 });
 * ```
 */
export async function certifiedPooledSearch(
  documents: MultiVectorIndex,
  bounds: PooledBounds,
  queryVectors: Float32Array | Matrix,
  options: CertifiedPooledSearchOptions,
): Promise<Hits> {
  checkKeys(options, ['k', 'signal']);
  const { rows } = documents;
  const k = checkK(options.k, rows);
  const signal = checkSignal(options.signal);
  checkMatch(documents, bounds);
  // Copied: it is read several times.
  const query = checkQueries(queryVectors, documents.dimension, 'queryVectors').slice();

  const best = new BestDocuments(k);
  let rescored = 0;
  let batch = Math.max(k, LEAST_BATCH);
  for (const window of new Set([Math.min(rows, Math.max(16 * k, LEAST_WINDOW)), rows])) {
    const bounded = await bounds.search(query, window, signal);
    while (rescored < window) {
      let end = rescored;
      // A document whose bound equals the k-th score may tie with it.
      while (end < Math.min(window, rescored + batch) && bounded.scores[end]! >= best.threshold) end++;
      if (end === rescored) return best.hits(rows, rescored);
      const candidates = bounded.rows.slice(rescored, end);
      best.merge(await documents.search(query, { k: Math.min(k, candidates.length), candidates, signal }));
      rescored = end;
      batch *= 2;
    }
  }
  return best.hits(rows, rescored);
}

/** The k best documents so far: score descending, then row ascending. */
class BestDocuments {
  readonly #k: number;
  #entries: { row: number; score: number }[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  /** The k-th score. */
  get threshold(): number {
    return this.#entries[this.#k - 1]?.score ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes in what may be among the best. */
  merge(hits: Hits): void {
    const added = Array.from({ length: hits.counts[0]! }, (_, place) => ({
      row: hits.rows[place]!,
      score: hits.scores[place]!,
    }));
    this.#entries = [...this.#entries, ...added]
      .sort((a, b) => (a.score === b.score ? a.row - b.row : b.score > a.score ? 1 : -1))
      .slice(0, this.#k);
  }

  /** The result, with how it was reached. */
  hits(rowsScanned: number, rowsRescored: number): Hits {
    return {
      queries: 1,
      k: this.#k,
      rows: Uint32Array.from(this.#entries, ({ row }) => row),
      scores: Float32Array.from(this.#entries, ({ score }) => score),
      counts: Uint32Array.of(this.#entries.length),
      certificate: {
        thresholds: Float32Array.of(this.threshold),
        rowsScanned,
        rowsRescored: Uint32Array.of(rowsRescored),
      },
    };
  }
}

function checkMatch(documents: MultiVectorIndex, bounds: PooledBounds): void {
  if (documents.dtype !== 'f32' || documents.biased) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `the bounds are those of float32 vectors without biases; the index has ${documents.biased ? 'biases' : `dtype '${documents.dtype}'`}`,
    );
  }
  if (documents.metric !== bounds.metric) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `the index has metric '${documents.metric}', the bounds have '${bounds.metric}'`,
    );
  }
  if (documents.dimension !== bounds.dimension || documents.rows !== bounds.rows) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the index holds ${documents.rows} documents of dimension ${documents.dimension}, the bounds ${bounds.rows} of ${bounds.dimension}`,
      { dimension: documents.dimension },
    );
  }
}

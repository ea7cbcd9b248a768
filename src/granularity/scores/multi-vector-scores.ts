import { GranuleError } from '../../errors.js';
import { checkFloat32, checkUint32 } from '../../index/arguments.js';
import type { VectorMatches } from '../../index/multi-vector-hits.js';
import type { Matrix, RaggedMatrix } from '../../vectors/matrix.js';
import { registered } from '../option-checks.js';
import { bestMatches } from './best-matches.js';
import { biIsa } from './bi-isa.js';
import { filip } from './filip.js';
import { flair } from './flair.js';
import { maxSim, meanMaxSim } from './max-sim.js';
import { pacl } from './pacl.js';
import { queryLanes, tileOf } from './similarity-tile.js';
import { smoothMaxSim } from './smooth-max-sim.js';
import { sparc } from './sparc.js';
import { topMeanSim } from './top-mean-sim.js';

/** Scores of a query and a document from the tile of their vectors' similarities, by name. */
export const MULTI_VECTOR_SCORES = {
  maxsim: maxSim,
  'mean-maxsim': meanMaxSim,
  'smooth-maxsim': smoothMaxSim,
  'top-mean': topMeanSim,
  filip,
  pacl,
  sparc,
  flair,
  'bi-isa': biIsa,
} as const;

/** A name of `MULTI_VECTOR_SCORES`. */
export type MultiVectorScoreName = keyof typeof MULTI_VECTOR_SCORES;

/** The options of the score of that name. */
export type MultiVectorScoreOptions<Name extends MultiVectorScoreName> = NonNullable<
  Parameters<(typeof MULTI_VECTOR_SCORES)[Name]>[1]
>;

/** How well each document fits a query. */
export interface ScoredDocuments {
  /** One per document, in their order; -Infinity for a document without vectors. */
  readonly scores: Float64Array;
  /** Per document what `bestMatches` gives. */
  readonly matches: readonly VectorMatches[];
}

/**
 * Scores a handful of documents, candidates of a search, by their vectors. Lengths are explicit: nothing is padded, so that
 * similarities below 0 count as they are.
 *
 * The calling thread does the work, O(n_q n_d d) per document: a quarter of a second for 100 pages of 1,030 patches, 32
 * tokens and 128 numbers. `MultiVectorIndex` searches by MaxSim over whole corpora.
 *
 * @param query - n_q x d finite values, n_q at least 1
 * @param documents - lists of vectors of d finite values; a list may be empty
 * @param name - of `MULTI_VECTOR_SCORES`
 * @param options - of that score
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH` (also for a query without vectors); `NOT_FINITE` with the query
 * vector as `details.row` and the vector within the document as `details.column`; `TEMPERATURE_INVALID`
 *
 * @example
 * ```ts
 * const { scores, matches } = scoreDocuments(tokens, pages, 'smooth-maxsim', { temperature: 0.05 });
 * const ranked = rankedList(pageRows, scores);
 * ```
 */
export function scoreDocuments<Name extends MultiVectorScoreName>(
  query: Matrix,
  documents: RaggedMatrix,
  name: Name,
  options?: MultiVectorScoreOptions<Name>,
): ScoredDocuments {
  const score = registered(MULTI_VECTOR_SCORES, name, 'name') as (tile: Matrix, options?: object) => number;
  const { data, lengths, columns } = documents;
  checkFloat32(data, 'documents.data');
  checkUint32(lengths, 'documents.lengths');
  const vectors = lengths.reduce((sum, length) => sum + length, 0);
  if (columns !== query.columns || vectors * columns !== data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the documents hold ${data.length} values, their lengths ask for ${vectors} x ${columns}; the query's vectors have ${query.columns} numbers`,
      { length: data.length, vectors, columns },
    );
  }
  const lanes = queryLanes(query);
  const scores = new Float64Array(lengths.length);
  const matches: VectorMatches[] = [];
  let start = 0;
  for (const [document, length] of lengths.entries()) {
    const end = start + length * columns;
    const tile = tileOf(lanes, data.subarray(start, end));
    scores[document] = score(tile, options);
    matches.push(bestMatches(tile));
    start = end;
  }
  return { scores, matches };
}

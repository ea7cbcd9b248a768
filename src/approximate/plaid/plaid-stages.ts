import type { Hits } from '../../index/hits.js';
import { firstPlaces, rankedList } from '../../ranking/ranked-list.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';
import type { EventLoopTurns } from '../event-loop-turns.js';
import { type InvertedLists, listRows } from '../inverted-lists.js';

/** Documents between two looks at the clock. */
const DOCUMENTS_PER_LOOK = 16;

/** How far the stages of a search look. */
export interface PlaidReach {
  /** Centroids whose documents are looked at, per query vector. */
  readonly cells: number;
  /** Similarity with some query vector below which the second stage passes over a centroid. */
  readonly threshold: number;
  /** Documents that the second stage leaves; the third leaves a quarter of them. */
  readonly documents: number;
}

/** The centroids of the documents' vectors: document i has `codes[ends[i - 1] .. ends[i])`. */
export interface DocumentCentroids {
  readonly codes: Uint32Array;
  readonly ends: Uint32Array;
}

/**
 * How far a search looks by default:
 *
 * | k | cells | threshold | documents |
 * |---|---|---|---|
 * | up to 10 | 1 | 0.5 | 256 |
 * | up to 100 | 2 | 0.45 | 1024 |
 * | more | 4 | 0.4 | max(4 k, 4096) |
 *
 * PLAID: An Efficient Engine for Late Interaction Retrieval (2022).
 */
export function plaidReach(k: number): PlaidReach {
  if (k <= 10) return { cells: 1, threshold: 0.5, documents: 256 };
  if (k <= 100) return { cells: 2, threshold: 0.45, documents: 1024 };
  return { cells: 4, threshold: 0.4, documents: Math.max(4 * k, 4096) };
}

/** A search for all centroids as a matrix: centroid c has the similarities with the n query vectors in row c. */
export function centroidScores({ queries, k, rows, scores }: Hits): Matrix {
  const tile = matrix(new Float32Array(queries * k), queries);
  for (let query = 0; query < queries; query++) {
    for (let place = query * k; place < (query + 1) * k; place++) {
      tile.data[rows[place]! * queries + query] = scores[place]!;
    }
  }
  return tile;
}

/** Stage 1: the documents with a vector of one of the `cells` nearest centroids of a query vector, ascending. */
export function probedDocuments(
  { queries, k, rows }: Hits,
  cells: number,
  documentsOf: InvertedLists,
): Uint32Array {
  const probed = new Set<number>();
  for (let query = 0; query < queries; query++) {
    for (let place = 0; place < Math.min(cells, k); place++) probed.add(rows[query * k + place]!);
  }
  const found = new Set<number>();
  for (const centroid of probed) {
    for (const document of listRows(documentsOf, centroid)) found.add(document);
  }
  return Uint32Array.from(found).sort();
}

/** Per centroid 1 where its similarity with some query vector reaches the threshold. */
export function keptCentroids({ data, rows, columns }: Matrix, threshold: number): Uint8Array {
  const kept = new Uint8Array(rows);
  for (let centroid = 0, i = 0; centroid < rows; centroid++) {
    for (const end = i + columns; i < end; i++) if (data[i]! >= threshold) kept[centroid] = 1;
  }
  return kept;
}

/**
 * Stages 2 and 3: the `count` documents, ascending, of highest MaxSim where every vector is taken for its centroid: the sum over
 * query vectors of the highest similarity with one of the document's centroids, with `kept` one of those that are kept. Of
 * equal scores the lower documents stay.
 *
 * A document none of whose centroids is kept has no maxima. It comes after all others (the authors' program gives it -9999 per
 * query vector), but stays where there is room.
 */
export async function bestByCentroids(
  documents: Uint32Array,
  count: number,
  scores: Matrix,
  centroids: DocumentCentroids,
  turns: EventLoopTurns,
  kept?: Uint8Array,
): Promise<Uint32Array> {
  if (documents.length <= count) return documents;
  const sums = new Float64Array(documents.length);
  const maxima = new Float32Array(scores.columns);
  for (const [place, document] of documents.entries()) {
    if (place % DOCUMENTS_PER_LOOK === 0 && turns.over) await turns.pass();
    maxima.fill(Number.NEGATIVE_INFINITY);
    for (let at = document === 0 ? 0 : centroids.ends[document - 1]!; at < centroids.ends[document]!; at++) {
      const centroid = centroids.codes[at]!;
      if (kept?.[centroid] !== 0) raise(maxima, scores.data, centroid * maxima.length);
    }
    sums[place] = maxima.reduce((sum, value) => sum + value, 0);
  }
  return firstPlaces(rankedList(documents, sums), count).rows.sort();
}

/** Raises every maximum to the score at its place, where that is higher. */
function raise(maxima: Float32Array, scores: Float32Array, start: number): void {
  for (let i = 0; i < maxima.length; i++) {
    const score = scores[start + i]!;
    if (score > maxima[i]!) maxima[i] = score;
  }
}

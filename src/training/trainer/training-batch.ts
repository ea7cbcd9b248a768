import type { EpochOrder } from './epoch-order.js';
import type { JudgedQueries } from './training-data.js';

/** Queries of one step with the documents that they are compared with. */
export interface TrainingBatch {
  /** Rows of the queries. */
  readonly queries: Uint32Array;
  /** Rows of the documents, each once: the columns of the batch. */
  readonly documents: Uint32Array;
  /** Per query the column of the positive that it has in this epoch. */
  readonly positives: Uint32Array;
  /** Per query the columns of its own candidates: all its positives, then its negatives. */
  readonly candidates: readonly Uint32Array[];
  /** Per query the relevance of its candidates; 0 of a negative. */
  readonly relevance: readonly Float64Array[];
}

/**
 * Puts a batch together.
 *
 * @param mined - rows of negatives per query, `perQuery` each; places that are 0xffffffff hold none
 */
export function trainingBatch(
  judged: JudgedQueries,
  order: EpochOrder,
  [first, end]: readonly [number, number],
  { mined, perQuery }: { readonly mined: Uint32Array; readonly perQuery: number },
): TrainingBatch {
  const columns = new Map<number, number>();
  const column = (row: number): number => {
    const known = columns.get(row);
    if (known !== undefined) return known;
    columns.set(row, columns.size);
    return columns.size - 1;
  };
  const queries = order.queries.slice(first, end);
  // The positives of all come first, so that what a batch holds of others does not depend on its negatives.
  const positives = Uint32Array.from(queries, (query) => column(order.positives[query]!));
  const candidates: Uint32Array[] = [];
  const relevance: Float64Array[] = [];
  for (const query of queries) {
    const right = [...new Set(Array.from(judged.positives[query]!))];
    const found = mined.subarray(query * perQuery, (query + 1) * perQuery).filter((row) => row !== NONE);
    const wrong = [...new Set([...Array.from(judged.negatives?.[query] ?? []), ...found])];
    const grades = judged.grades?.[query];
    candidates.push(Uint32Array.from([...right, ...wrong], column));
    relevance.push(Float64Array.from([...right.map((row) => grades?.get(row) ?? 1), ...wrong.map(() => 0)]));
  }
  return { queries, documents: Uint32Array.from(columns.keys()), positives, candidates, relevance };
}

/** Per query the columns of its positives but for the one that it has in this epoch. */
export function furtherPositives({ positives, candidates, relevance }: TrainingBatch): Uint32Array[] {
  return candidates.map((columns, query) =>
    columns.filter((column, i) => relevance[query]![i]! > 0 && column !== positives[query]),
  );
}

/** No row: what a search leaves in places that it could not fill. */
export const NONE = 0xffff_ffff;

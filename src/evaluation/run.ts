import { GranuleError } from '../errors.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { compareBytes } from './byte-order.js';

/** The documents that were retrieved for one query, in any order, each at most once. */
export interface RunList {
  readonly documents: readonly string[];
  /** As many as documents; a greater one is better. */
  readonly scores: Float64Array;
}

/** What one system retrieved, by query id. */
export interface Run {
  /** The system's name, the last column of a run file. */
  readonly tag: string;
  readonly queries: ReadonlyMap<string, RunList>;
}

/**
 * A run from ranked lists.
 *
 * @param queries - the query's id for each list
 * @param documents - the document's id for each row
 * @throws GranuleError `LENGTH_MISMATCH` where there are not as many ids as lists; `ROW_NOT_FOUND` for a row without an id;
 *   `DUPLICATE_ID` for a query that comes twice, or two rows of a list with one id
 */
export function runFromRankedLists(
  tag: string,
  queries: readonly string[],
  lists: readonly RankedList[],
  documents: readonly string[],
): Run {
  if (queries.length !== lists.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${queries.length} queries have ${lists.length} lists`, {
      queries: queries.length,
      lists: lists.length,
    });
  }
  const run = new Map<string, RunList>();
  for (const [i, query] of queries.entries()) {
    if (run.has(query)) throw new GranuleError('DUPLICATE_ID', `query ${query} comes twice`, { id: query });
    const { rows, scores } = lists[i]!;
    const ids = Array.from(rows, (row) => {
      const id = documents[row];
      if (id === undefined) throw new GranuleError('ROW_NOT_FOUND', `row ${row} has no document id`, { row });
      return id;
    });
    refuseRepeated(ids, query);
    run.set(query, { documents: ids, scores });
  }
  return { tag, queries: run };
}

/**
 * Refuses a document that was retrieved twice for one query.
 *
 * @throws GranuleError `DUPLICATE_ID`
 */
export function refuseRepeated(ids: readonly string[], query: string): void {
  if (new Set(ids).size === ids.length) return;
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) {
      throw new GranuleError('DUPLICATE_ID', `document ${id} comes twice for query ${query}`, { id, query });
    }
    seen.add(id);
  }
}

/**
 * The run without documents whose id is the query's own, for collections whose queries are documents themselves.
 *
 * Source: "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models" (2021): ArguAna, Quora.
 */
export function withoutQueryDocuments({ tag, queries }: Run): Run {
  const kept = [...queries].map(([query, list]): [string, RunList] => {
    const place = list.documents.indexOf(query);
    if (place === -1) return [query, list];
    return [
      query,
      {
        documents: list.documents.toSpliced(place, 1),
        scores: list.scores.filter((_, i) => i !== place),
      },
    ];
  });
  return { tag, queries: new Map(kept) };
}

/**
 * The places of a list's documents, best first, in the order of trec_eval: score descending, then document id descending by
 * bytes. It is not the order of Granule's own searches, where the lower row wins a tie.
 */
export function trecOrder({ documents, scores }: RunList): Uint32Array {
  const order = Uint32Array.from(documents, (_, i) => i);
  return order.sort((a, b) => {
    const x = scores[a]!;
    const y = scores[b]!;
    if (x !== y) return x > y ? -1 : 1;
    return compareBytes(documents[b]!, documents[a]!);
  });
}

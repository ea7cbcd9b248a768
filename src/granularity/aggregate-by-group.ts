import { checkKeys } from '../index/arguments.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import { checkWhole, registered } from './option-checks.js';

/** The rows of one group, best first, and how many of them `sum` adds; gives the group's score. */
export type GroupScore = (found: RankedList, most: number) => number;

/** How the scores of a group's rows become the group's. */
export type AggregationMethod = 'max' | 'sum' | 'mean' | 'first';

/**
 * Scores of a group (a document, an entity) from those of its rows (passages, documents) that were found, by name:
 *
 * - `max`: the best ("MaxP")
 * - `sum`: the sum of the m best, or of as many as there are ("SumP")
 * - `mean`: the mean of those that were found; a group of which one row was found has that row's score
 * - `first`: the lowest row that was found ("FirstP", where rows are in reading order and every passage of the candidates
 *   was scored)
 *
 * Deeper Text Understanding for IR with Contextual Neural Language Modeling (2019) names them for passages; DAPFAM: A Domain-Aware
 * Family-level Dataset to benchmark cross domain patent retrieval (2025) compares them.
 */
export const GROUP_SCORES: Readonly<Record<AggregationMethod, GroupScore>> = {
  max: ({ scores }) => scores[0]!,
  sum: ({ scores }, most) => sum(scores.subarray(0, most)),
  mean: ({ scores }) => sum(scores) / scores.length,
  first: ({ rows, scores }) => scores[rows.indexOf(rows.reduce((a, b) => Math.min(a, b)))]!,
};

/** Options of `aggregateByGroup`. */
export interface AggregationOptions {
  /** `max` by default. */
  readonly method?: AggregationMethod | undefined;
  /** For `sum`: so many of the best rows of each group are added, 3 by default. */
  readonly most?: number | undefined;
}

/** Groups as a ranked list, with what speaks for each. */
export interface GroupedList extends RankedList {
  /** Per place the best row of the group, the lower of equal ones. */
  readonly evidence: Uint32Array;
}

/**
 * From a finer level to a coarser one: passages to documents, documents to entities. O(n log n) for n rows.
 *
 * @param list - the rows that were found
 * @param groupOf - the group of a row, a number from 0 to 2^32 - 1; undefined leaves the row out
 * @returns every group that a row of the list belongs to; a group without one is not in the result
 * @throws GranuleError `INVALID_ARGUMENT`; `NOT_FINITE` where infinite scores of both signs are added
 *
 * @example
 * ```ts
 * const documents = aggregateByGroup(passages, (passage) => documentOf[passage]!, { method: 'sum', most: 2 });
 * documents.evidence[0]; // the best passage of the best document
 * const entities = aggregateByGroup(documents, (document) => entityOf[document]);
 * ```
 */
export function aggregateByGroup(
  list: RankedList,
  groupOf: (row: number) => number | undefined,
  options: AggregationOptions = {},
): GroupedList {
  checkKeys(options, ['method', 'most']);
  const score = registered(GROUP_SCORES, options.method ?? 'max', 'method');
  const most = checkWhole(options.most ?? 3, 1, 'most');
  const placesOf = new Map<number, number[]>();
  for (const [place, row] of list.rows.entries()) {
    const group = groupOf(row);
    if (group === undefined) continue;
    const places = placesOf.get(group);
    if (places) places.push(place);
    else placesOf.set(group, [place]);
  }
  const groups = [...placesOf.keys()];
  const scores = groups.map((group) => {
    const places = placesOf.get(group)!;
    const found = {
      rows: Uint32Array.from(places, (place) => list.rows[place]!),
      scores: Float64Array.from(places, (place) => list.scores[place]!),
    };
    return score(found, most);
  });
  const ranked = rankedList(groups, scores);
  return { ...ranked, evidence: ranked.rows.map((group) => list.rows[placesOf.get(group)![0]!]!) };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

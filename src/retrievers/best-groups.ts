import { GranuleError } from '../errors.js';

/** Rows in the order of a search, best first, with their scores. */
export interface RankedRows {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

/** The best row of a group. */
export interface BestOfGroup {
  readonly group: string;
  readonly row: number;
  readonly score: number;
}

/** What to rank, and how far. */
export interface BestGroupsOptions {
  /** How many groups, at least 1. */
  readonly k: number;
  /** Rows that can be found at most. */
  readonly all: number;
  /** The best rows, fewer than `places` where there are no more; more places give the same rows and then others. */
  readonly search: (places: number) => Promise<RankedRows>;
  /** The group of each row; undefined for a row that is in none. */
  readonly groupsOf: (rows: readonly number[]) => Promise<readonly (string | undefined)[]>;
  readonly signal?: AbortSignal | undefined;
}

/** A search reads all codes whatever its k is: few searches cost less than few places. */
const GROWTH = 4;
/** Keeps what is in memory small where one group holds very many of the best rows. */
const ROWS_PER_READ = 1000;

/**
 * The k groups with the highest scores, or all there are; a group's score is that of its best row. Exact.
 *
 * In the order of the rows a group's first row is its best. So the first k groups that appear are the k best ones: whatever
 * comes later scores no higher. The search is asked for more places until k groups have appeared or no row is left.
 *
 * @returns best first; groups of equal scores, and equal rows of a group, in the order of the search
 * @throws GranuleError `ABORTED`, and what `search` and `groupsOf` throw
 */
export async function bestGroups(options: BestGroupsOptions): Promise<BestOfGroup[]> {
  const { k, all, search, groupsOf, signal } = options;
  const best = new Map<string, BestOfGroup>();
  let read = 0;
  for (let places = GROWTH * k; ; places *= GROWTH) {
    const asked = Math.max(1, Math.min(places, all));
    const { rows, scores } = await search(asked);
    while (read < rows.length) {
      if (signal?.aborted) throw new GranuleError('ABORTED', 'the search was aborted');
      const some = [...rows.subarray(read, read + ROWS_PER_READ)];
      const groups = await groupsOf(some);
      for (const [i, row] of some.entries()) {
        const group = groups[i];
        if (group === undefined || best.has(group)) continue;
        best.set(group, { group, row, score: scores[read + i]! });
        if (best.size === k) return [...best.values()];
      }
      read += some.length;
    }
    if (rows.length < asked || asked >= all) return [...best.values()];
  }
}

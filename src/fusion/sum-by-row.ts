import type { RankedList } from '../ranking/ranked-list.js';

/** What several lists add up to for each row of any of them, in no particular order. */
export interface RowSums {
  readonly rows: Uint32Array;
  readonly sums: Float64Array;
}

/**
 * Adds up what each list gives a row. The terms of a row are added in ascending order: the sum does not depend on the order
 * of the lists, and rows that have the same terms from different lists are a tie to the last bit.
 *
 * @param term - what place `place` of list `list` gives the row that is there
 */
export function sumByRow(
  lists: readonly RankedList[],
  term: (list: number, place: number) => number,
): RowSums {
  const slots = new Map<number, number>();
  for (const { rows } of lists) for (const row of rows) if (!slots.has(row)) slots.set(row, slots.size);
  const terms = new Float64Array(slots.size * lists.length);
  const counts = new Uint32Array(slots.size);
  for (const [index, { rows }] of lists.entries()) {
    for (let place = 0; place < rows.length; place++) {
      const slot = slots.get(rows[place]!)!;
      const value = term(index, place);
      const first = slot * lists.length;
      let at = first + counts[slot]!++;
      for (; at > first && terms[at - 1]! > value; at--) terms[at] = terms[at - 1]!;
      terms[at] = value;
    }
  }
  const sums = new Float64Array(slots.size);
  for (let slot = 0; slot < sums.length; slot++) {
    const first = slot * lists.length;
    for (let at = first; at < first + counts[slot]!; at++) sums[slot]! += terms[at]!;
  }
  return { rows: Uint32Array.from(slots.keys()), sums };
}

/** Rows by list: list l holds `rows[offsets[l] .. offsets[l + 1])`, ascending. */
export interface InvertedLists {
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
}

/**
 * Inverts rows that name lists: row r names `lists[ends[r - 1] .. ends[r])`, and is once in each list that it names. O(names).
 *
 * @param count - number of lists
 * @param lists - numbers below `count`
 * @param ends - per row, where its names end; by default every row has one
 */
export function invertLists(count: number, lists: Uint32Array, ends?: Uint32Array): InvertedLists {
  const offsets = new Uint32Array(count + 1);
  visit(lists, ends, count, (list) => {
    offsets[list + 1]!++;
  });
  for (let list = 0; list < count; list++) offsets[list + 1]! += offsets[list]!;
  const rows = new Uint32Array(offsets[count]!);
  const next = offsets.slice();
  visit(lists, ends, count, (list, row) => {
    rows[next[list]!++] = row;
  });
  return { offsets, rows };
}

/** The rows of one list, as a view. */
export function listRows({ offsets, rows }: InvertedLists, list: number): Uint32Array {
  return rows.subarray(offsets[list], offsets[list + 1]);
}

/** Every list of every row once, rows ascending. */
function visit(
  lists: Uint32Array,
  ends: Uint32Array | undefined,
  count: number,
  take: (list: number, row: number) => void,
): void {
  // One more than the last row that named the list.
  const seen = new Uint32Array(count);
  const rows = ends?.length ?? lists.length;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (const end = ends?.[row] ?? row + 1; at < end; at++) {
      const list = lists[at]!;
      if (seen[list] === row + 1) continue;
      seen[list] = row + 1;
      take(list, row);
    }
  }
}

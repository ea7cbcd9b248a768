/**
 * The one-to-one assignment of rows to columns whose scores have the greatest sum.
 *
 * The algorithm of Kuhn and Munkres with potentials: rows enter one at a time along a shortest augmenting path. O(min^2 max).
 * Among equally good assignments any may be returned; min(rows, columns) rows have a column.
 *
 * Source: "The Hungarian Method for the Assignment Problem" (1955).
 *
 * @param scores - rows x columns, row by row, finite
 * @returns the column of each row; -1 for a row that has none
 */
export function optimalAssignment(scores: Float64Array, rows: number, columns: number): Int32Array {
  if (rows <= columns) return assign(rows, columns, (row, column) => -scores[row * columns + column]!);
  const rowOfColumn = assign(columns, rows, (column, row) => -scores[row * columns + column]!);
  const result = new Int32Array(rows).fill(-1);
  for (const [column, row] of rowOfColumn.entries()) result[row] = column;
  return result;
}

/** The cheapest assignment for at most as many rows as columns. Rows and columns count from 1 inside, 0 stands for none. */
function assign(rows: number, columns: number, cost: (row: number, column: number) => number): Int32Array {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  for (let entering = 1; entering <= rows; entering++) {
    const least = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const before = new Int32Array(columns + 1);
    const visited = new Uint8Array(columns + 1);
    let column = 0;
    rowOf[0] = entering;
    do {
      visited[column] = 1;
      const row = rowOf[column]!;
      let step = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let other = 1; other <= columns; other++) {
        if (visited[other]) continue;
        const reduced = cost(row - 1, other - 1) - rowPotential[row]! - columnPotential[other]!;
        if (reduced < least[other]!) {
          least[other] = reduced;
          before[other] = column;
        }
        if (least[other]! < step) {
          step = least[other]!;
          next = other;
        }
      }
      for (let other = 0; other <= columns; other++) {
        if (visited[other]) {
          rowPotential[rowOf[other]!]! += step;
          columnPotential[other]! -= step;
        } else {
          least[other]! -= step;
        }
      }
      column = next;
    } while (rowOf[column] !== 0);
    for (; column !== 0; column = before[column]!) rowOf[column] = rowOf[before[column]!]!;
  }
  const result = new Int32Array(rows);
  for (let column = 1; column <= columns; column++) {
    if (rowOf[column] !== 0) result[rowOf[column]! - 1] = column - 1;
  }
  return result;
}

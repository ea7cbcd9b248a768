import { GranuleError } from '../../errors.js';

/**
 * Checks and normalises the rows that a model gave, in place.
 *
 * With `normalize` each row is divided by its Euclidean norm (summed in float64); a row of zeros stays as it is.
 *
 * @param what - what a row is, for the error: 'image', 'patch', 'text', 'token'
 * @param firstRow - number of the first of these rows among all, for the error
 * @throws GranuleError `NOT_FINITE` naming the first row and column that holds NaN or infinity
 */
export function finishRows(
  data: Float32Array,
  columns: number,
  normalize: boolean,
  what: string,
  firstRow: number,
): void {
  for (let start = 0; start < data.length; start += columns) {
    let squares = 0;
    for (let i = start; i < start + columns; i++) squares += data[i]! * data[i]!;
    if (!Number.isFinite(squares))
      throw notFinite(data.subarray(start, start + columns), firstRow + start / columns, what);
    if (!normalize || squares === 0) continue;
    const norm = Math.sqrt(squares);
    for (let i = start; i < start + columns; i++) data[i] = data[i]! / norm;
  }
}

function notFinite(values: Float32Array, row: number, what: string): GranuleError {
  const column = values.findIndex((value) => !Number.isFinite(value));
  return new GranuleError(
    'NOT_FINITE',
    `the model's vector of ${what} ${row} holds ${values[column]} in column ${column}`,
    { row, column },
  );
}

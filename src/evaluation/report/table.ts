import { fourDecimals } from '../trec-eval-text.js';

/** A text, or a number: as it is shown, and as a program reads it. */
export type Cell = string | { readonly value: number; readonly text: string };

/** A table of measurements, before it has a format. */
export interface Table {
  readonly columns: readonly { readonly name: string; readonly isNumeric: boolean }[];
  /** As many cells as columns in each; an empty text where there is no value. */
  readonly rows: readonly (readonly Cell[])[];
}

/** A number that is shown with four decimals. */
export function decimalCell(value: number): Cell {
  return { value, text: fourDecimals(value) };
}

/** A whole number. */
export function countCell(value: number): Cell {
  return { value, text: String(value) };
}

/** A p-value: four decimals, and never 0. */
export function probabilityCell(value: number): Cell {
  return { value, text: value < 0.0001 ? '<0.0001' : fourDecimals(value) };
}

export function shownText(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

import type { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { GranuleError } from '../../errors.js';

const NUMBERS_PER_LOOK = 1 << 16;

/** A number that is not finite: its place in a row-major tensor. */
export interface NotFinitePlace {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

/**
 * The first number of a tensor that is NaN or infinite; undefined where all are finite.
 *
 * @throws GranuleError `ABORTED`
 */
export async function firstNotFinite(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  turns: EventLoopTurns,
): Promise<NotFinitePlace | undefined> {
  const columns = shape.length > 1 ? shape[shape.length - 1]! : 1;
  for (let first = 0; first < values.length; first += NUMBERS_PER_LOOK) {
    if (turns.over) await turns.pass();
    const place = values
      .subarray(first, first + NUMBERS_PER_LOOK)
      .findIndex((value) => !Number.isFinite(value));
    if (place < 0) continue;
    const at = first + place;
    return { row: Math.floor(at / columns), column: at % columns, value: values[at]! };
  }
  return undefined;
}

/** @throws GranuleError `NOT_FINITE` with `details.parameter`, `.row` and `.column`; `ABORTED` */
export async function refuseNotFinite(
  name: string,
  { values, shape }: { readonly values: Float32Array | Float64Array; readonly shape: readonly number[] },
  turns: EventLoopTurns,
): Promise<void> {
  const wrong = await firstNotFinite(values, shape, turns);
  if (wrong === undefined) return;
  const { row, column, value } = wrong;
  throw new GranuleError('NOT_FINITE', `${name}, row ${row}, column ${column} is ${value}`, {
    parameter: name,
    row,
    column,
  });
}

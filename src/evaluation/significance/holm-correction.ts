import { GranuleError } from '../../errors.js';

/**
 * Holm's correction of m p-values: in ascending order the i-th becomes the greatest of min(1, (m - j + 1) p_j) over j <= i. Rejecting
 * where the corrected value is at most alpha keeps the chance of any false rejection at alpha or below, however the tests depend on
 * each other. O(m log m).
 *
 * Source: "A Simple Sequentially Rejective Multiple Test Procedure" (1979).
 *
 * @returns the corrected values in the order of the given ones
 * @throws GranuleError `INVALID_ARGUMENT` for a value outside 0 to 1
 */
export function holmCorrection(pValues: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(pValues);
  const wrong = values.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `a p-value lies between 0 and 1, got ${wrong}`);
  }
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const corrected = new Float64Array(values.length);
  let greatest = 0;
  for (const [i, place] of order.entries()) {
    greatest = Math.max(greatest, Math.min(1, (values.length - i) * values[place]!));
    corrected[place] = greatest;
  }
  return corrected;
}

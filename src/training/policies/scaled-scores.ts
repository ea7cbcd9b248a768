import { GranuleError } from '../../errors.js';
import { checkTemperature } from '../../index/arguments.js';

/** Beyond it numbers a tenth apart are the same in float64, and differences may overflow. */
const LARGEST = 1e15;

/**
 * s_i / t, the parameters of a policy over candidates.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where there is no candidate; `TEMPERATURE_INVALID`; `NOT_FINITE`
 *   where one is NaN or beyond 1e15
 */
export function scaledScores(scores: ArrayLike<number>, temperature: number): Float64Array {
  if (scores.length === 0)
    throw new GranuleError('INVALID_ARGUMENT', 'a policy needs at least one candidate');
  checkTemperature(temperature);
  const scaled = new Float64Array(scores.length);
  for (let i = 0; i < scores.length; i++) {
    scaled[i] = scores[i]! / temperature;
    if (Math.abs(scaled[i]!) <= LARGEST) continue;
    throw new GranuleError(
      'NOT_FINITE',
      `score ${i} divided by the temperature is ${scaled[i]}, not a number within ${LARGEST}`,
      { row: i },
    );
  }
  return scaled;
}

/**
 * (s_i - greatest s) / t: for policies where only differences count, so that a score that all candidates share takes away no digit.
 *
 * @throws GranuleError as `scaledScores`
 */
export function relativeScores(scores: ArrayLike<number>, temperature: number): Float64Array {
  const scaled = scaledScores(scores, temperature);
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) greatest = Math.max(greatest, scores[i]!);
  return scaled.map((_, i) => (scores[i]! - greatest) / temperature);
}

/**
 * Two policies are over the same candidates.
 *
 * @throws GranuleError `LENGTH_MISMATCH`
 */
export function checkReference(scores: ArrayLike<number>, reference: ArrayLike<number>): void {
  if (scores.length === reference.length) return;
  throw new GranuleError(
    'LENGTH_MISMATCH',
    `there are ${scores.length} scores and ${reference.length} scores of the reference`,
    { scores: scores.length, reference: reference.length },
  );
}

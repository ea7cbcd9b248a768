import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';

/** What an epoch goes through. It depends on seed and epoch only: a run that goes on needs nothing but its step. */
export interface EpochOrder {
  /** The queries, each once, in the order in which they are trained on. */
  readonly queries: Uint32Array;
  /** Per query the positive that it has in this epoch. */
  readonly positives: Uint32Array;
}

/**
 * The order of an epoch: a permutation, and of each query's positives one, all alike probable.
 *
 * @param positives - per query its positives
 */
export function epochOrder(
  seed: number | string,
  epoch: number,
  positives: readonly ArrayLike<number>[],
): EpochOrder {
  const order = new SeededRandom(`${seed}/order/${epoch}`);
  const choice = new SeededRandom(`${seed}/positive/${epoch}`);
  return {
    queries: Uint32Array.from(shuffled(positives.keys(), order)),
    positives: Uint32Array.from(positives, (rows) => rows[choice.integer(0, rows.length - 1)]!),
  };
}

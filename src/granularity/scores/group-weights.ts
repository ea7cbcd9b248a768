import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import { checkWhole } from '../option-checks.js';

/** Consecutive vectors of a query that are of one kind: its text, its whole picture, its regions of interest. */
export interface QueryGroup {
  /** How many. */
  readonly vectors: number;
  /** What each of them counts; finite, not negative. */
  readonly weight: number;
}

/**
 * The weights of a query's vectors from those of its groups, for the option `weights`: with `maxSim`
 *
 *     score = sum over groups g of w_g  sum over i in g of  max over j of <q_i, x_j>
 *
 * the score of Fine-grained Late-interaction Multi-modal Retrieval for Retrieval Augmented Visual Question Answering (2023)
 * where all weights are 1.
 *
 * @param groups - in the order of the query's vectors
 * @returns one weight per query vector
 * @throws GranuleError `INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * groupWeights([{ vectors: 20, weight: 1 }, { vectors: 32, weight: 0.5 }]); // 20 ones, 32 halves
 * ```
 */
export function groupWeights(groups: readonly QueryGroup[]): Float64Array {
  const weights = groups.flatMap(({ vectors, weight }, group) => {
    if (!Number.isFinite(weight) || weight < 0) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `the weight of group ${group} must be a finite number of at least 0, got ${show(weight)}`,
      );
    }
    return new Array<number>(checkWhole(vectors, 0, `vectors of group ${group}`)).fill(weight);
  });
  return Float64Array.from(weights);
}

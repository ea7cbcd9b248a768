import { GranuleError } from '../../errors.js';
import { checkKeys, show } from '../../index/arguments.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import { softmaxWithLogs } from '../losses/log-softmax.js';
import { checkFloats, checkLength, type Floats } from '../losses/loss-arguments.js';

/** Options of {@link answerLikelihood}. */
export interface AnswerLikelihoodOptions {
  /** Least likelihood f of an answer, 0 or more and below 1; 0 by default. */
  readonly floor?: number | undefined;
}

/** What {@link answerLikelihood} gives. */
export interface AnswerLikelihood {
  /** ln p(a | q, z), at most 0. */
  readonly logLikelihood: number;
  /** d(logLikelihood)/ds, one number per candidate. */
  readonly gradient: Float64Array;
}

/**
 * The likelihood that an extractive reader gives an answer, summed over the candidates that are it, in float64:
 *
 *     p_c = softmax over all candidates and the null of s      p = sum over right c of p_c
 *     ln p(a | q, z) = ln((1 - f) p + f)
 *     d/ds_c = r ([c right] p_c / p - p_c)                      r = (1 - f) p / ((1 - f) p + f): 1 without a floor
 *
 * A passage that does not hold the answer has no right candidate: its likelihood is f, and nothing of it depends on the scores. Without a
 * floor such a list is refused. O(candidates).
 *
 * @param scores - one or more, finite
 * @param right - one per score: not 0 where the candidate is right
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`; `TARGET_INVALID` where no candidate is right and the floor is 0
 */
export function answerLikelihood(
  scores: Floats,
  right: ArrayLike<number>,
  options: AnswerLikelihoodOptions = {},
): AnswerLikelihood {
  checkKeys(options, ['floor']);
  const { floor = 0 } = options;
  if (typeof floor !== 'number' || !(floor >= 0 && floor < 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `floor must be from 0 to below 1, got ${show(floor)}`);
  }
  const { logs, probabilities } = softmaxWithLogs(checkFloats(scores, 'scores'), 1);
  checkLength(right.length, 'right', logs.length);
  const logSpan = logSumExp(logs, (i) => right[i] !== 0);
  if (logSpan === Number.NEGATIVE_INFINITY) {
    if (floor === 0) throw new GranuleError('TARGET_INVALID', 'no candidate is right');
    return { logLikelihood: Math.log(floor), gradient: new Float64Array(logs.length) };
  }
  const found = Math.log1p(-floor) + logSpan;
  const logLikelihood =
    floor === 0 ? Math.min(0, logSpan) : logSumExp(Float64Array.of(found, Math.log(floor)));
  const share = floor === 0 ? 1 : Math.exp(found - logLikelihood);
  return {
    logLikelihood: Math.min(0, logLikelihood),
    gradient: probabilities.map((p, i) => share * ((right[i] !== 0 ? Math.exp(logs[i]! - logSpan) : 0) - p)),
  };
}

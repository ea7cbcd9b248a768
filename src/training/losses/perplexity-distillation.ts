import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkFloats, type Floats, type TemperedLoss } from './loss-arguments.js';
import { divergenceFromTarget } from './relative-entropy.js';

/** Options of the losses by which Atlas teaches a retriever. */
export interface ReaderDistillationOptions {
  /** Of the retriever's softmax; 0.01 by default, as in the released code. */
  readonly temperature?: number | undefined;
  /** Of the softmax over what the reader says; 0.01 by default, as in the released code. */
  readonly readerTemperature?: number | undefined;
}

/**
 * Perplexity distillation (Atlas PDist): what the reader makes of each document alone is the target.
 *
 *     Q = softmax(g / tau_g), p = softmax(s / tau), L = KL(Q || p), dL/ds_i = (p_i - Q_i) / tau
 *
 * with g_d the mean log-likelihood of a token of the right answer given d alone. The reader does not learn. O(n).
 *
 * The released code divides L by the number of candidates (the default reduction of its KL loss) and s by the square root of the
 * dimension; here neither is hidden.
 *
 * Source: "Atlas: Few-shot Learning with Retrieval Augmented Language Models" (2022).
 *
 * @param meanLogLikelihoods - per candidate g_d, finite
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function perplexityDistillation(
  scores: Floats,
  meanLogLikelihoods: Floats,
  options: ReaderDistillationOptions = {},
): TemperedLoss {
  return distilFromReader(scores, meanLogLikelihoods, 'meanLogLikelihoods', options);
}

/**
 * Leave-one-out distillation (Atlas LOOP): `perplexityDistillation` with g_d the reader's mean loss per token where d is left out of
 * the context. The greater it is, the more d was needed. It takes a pass of the reader per candidate, and says of two documents that
 * hold the same answer that neither is needed. O(n).
 *
 * Source: "Atlas: Few-shot Learning with Retrieval Augmented Language Models" (2022).
 *
 * @param lossesWithout - per candidate the loss of the right answer without it, finite
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function leaveOneOutDistillation(
  scores: Floats,
  lossesWithout: Floats,
  options: ReaderDistillationOptions = {},
): TemperedLoss {
  return distilFromReader(scores, lossesWithout, 'lossesWithout', options);
}

function distilFromReader(
  scores: Floats,
  worth: Floats,
  name: string,
  options: ReaderDistillationOptions,
): TemperedLoss {
  checkKeys(options, ['temperature', 'readerTemperature']);
  const s = checkFloats(scores, 'scores');
  const temperature = checkTemperature(options.temperature ?? 0.01);
  const readerTemperature = checkTemperature(options.readerTemperature ?? 0.01);
  const target = softmaxWithLogs(checkFloats(worth, name, s.length), readerTemperature);
  const { divergence, gradient } = divergenceFromTarget(
    target.probabilities,
    softmaxWithLogs(s, temperature),
  );
  const scoreGradient = gradient.map((g) => g / temperature);
  return {
    loss: divergence,
    gradient: scoreGradient,
    temperatureGradient: temperatureGradient(s, scoreGradient, temperature),
  };
}

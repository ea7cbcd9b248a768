import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkFloats, type Floats, type TemperedLoss } from './loss-arguments.js';
import { divergenceToTarget } from './relative-entropy.js';

/** Options of {@link replug}. */
export interface ReplugOptions {
  /** gamma, of the retriever's softmax; 0.1 by default, as published. */
  readonly temperature?: number | undefined;
  /** beta, of the softmax over likelihoods; 0.1 by default, as published. */
  readonly readerTemperature?: number | undefined;
}

/**
 * The retriever learns to give a document the share that it has in the reader's likelihoods of the answer (REPLUG LSR):
 *
 *     p = softmax(s / gamma), Q = softmax(p_LM(a | d, q) / beta), L = KL(p || Q)
 *     dL/ds_i = p_i (ln p_i - ln Q_i - L) / gamma
 *
 * Q is made of likelihoods, not of their logarithms: they lie within [0, 1], so Q's greatest ratio is e^(1 / beta), and where all
 * likelihoods are small Q is nearly uniform. `perplexityDistillation` reads the logarithms. The reader does not learn. O(n).
 *
 * Source: "REPLUG: Retrieval-Augmented Black-Box Language Models" (2023).
 *
 * @param logLikelihoods - per candidate ln p_LM(a | d, q) of the right answer, finite
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`; `NOT_FINITE`, also for a likelihood beyond float64
 */
export function replug(scores: Floats, logLikelihoods: Floats, options: ReplugOptions = {}): TemperedLoss {
  checkKeys(options, ['temperature', 'readerTemperature']);
  const s = checkFloats(scores, 'scores');
  const logs = checkFloats(logLikelihoods, 'logLikelihoods', s.length);
  const temperature = checkTemperature(options.temperature ?? 0.1);
  const readerTemperature = checkTemperature(options.readerTemperature ?? 0.1);
  const likelihoods = checkFloats(logs.map(Math.exp), 'exp(logLikelihoods)');
  const target = softmaxWithLogs(likelihoods, readerTemperature);
  const { divergence, gradient } = divergenceToTarget(softmaxWithLogs(s, temperature), target.logs);
  const scoreGradient = gradient.map((g) => g / temperature);
  return {
    loss: divergence,
    gradient: scoreGradient,
    temperatureGradient: temperatureGradient(s, scoreGradient, temperature),
  };
}

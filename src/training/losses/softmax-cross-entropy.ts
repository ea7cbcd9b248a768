import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import {
  checkChoice,
  checkFloats,
  type Floats,
  type TemperatureOption,
  type TemperedLoss,
} from './loss-arguments.js';

/** Options of {@link softmaxCrossEntropy}. */
export interface SoftmaxCrossEntropyOptions extends TemperatureOption {
  /**
   * What several positives mean. `log-of-sum`, the default: -ln of the probability that the positives have together; one good
   * positive is enough. `mean-of-logs`: the mean of their -ln p; each of them has to be found.
   */
  readonly form?: 'log-of-sum' | 'mean-of-logs' | undefined;
}

/**
 * InfoNCE over one list of candidates with one or several positives P, p = softmax(s / t):
 *
 *     log-of-sum     L = -ln sum over i in P of p_i              dL/ds_i = (p_i - [i in P] p_i / sum over P of p) / t
 *     mean-of-logs   L = -1 / |P| sum over i in P of ln p_i      dL/ds_i = (p_i - [i in P] / |P|) / t
 *
 * With one positive they are the same. O(n).
 *
 * Sources: "Representation Learning with Contrastive Predictive Coding" (2018); the sum: "End-to-End Learning of Visual
 * Representations from Uncurated Instructional Videos" (2020); the mean: "Supervised Contrastive Learning" (2020).
 *
 * @param targets - per candidate a number, above 0 for a positive
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`; `TARGET_INVALID` without a positive
 */
export function softmaxCrossEntropy(
  scores: Floats,
  targets: Floats,
  options: SoftmaxCrossEntropyOptions = {},
): TemperedLoss {
  checkKeys(options, ['temperature', 'form']);
  const s = checkFloats(scores, 'scores');
  const labels = checkFloats(targets, 'targets', s.length);
  const temperature = checkTemperature(options.temperature ?? 1);
  const form = checkChoice(options.form ?? 'log-of-sum', ['log-of-sum', 'mean-of-logs'], 'form');
  const positive = (i: number) => labels[i]! > 0;
  const positives = labels.reduce((count, _, i) => count + (positive(i) ? 1 : 0), 0);
  if (positives === 0) throw new GranuleError('TARGET_INVALID', 'no candidate is a positive');

  const { logs, probabilities } = softmaxWithLogs(s, temperature);
  const together = logSumExp(logs, positive);
  const share =
    form === 'log-of-sum' ? (i: number) => Math.exp(logs[i]! - together) : (_: number) => 1 / positives;
  const gradient = probabilities.map((p, i) => (p - (positive(i) ? share(i) : 0)) / temperature);
  const sumOfLogs = logs.reduce((sum, log, i) => sum + (positive(i) ? log : 0), 0);
  return {
    loss: form === 'log-of-sum' ? -together : -sumOfLogs / positives,
    gradient,
    temperatureGradient: temperatureGradient(s, gradient, temperature),
  };
}

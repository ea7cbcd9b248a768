import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkFloats, type Floats, type TemperatureOption, type TemperedLoss } from './loss-arguments.js';

/** Options of {@link listNet}. */
export interface ListNetOptions extends TemperatureOption {
  /** Of the softmax over labels; 1 by default. */
  readonly labelTemperature?: number | undefined;
}

/**
 * ListNet with top-one probabilities: q = softmax(y / t_y), p = softmax(s / t),
 *
 *     L = -sum_i q_i ln p_i,    dL/ds_i = (p_i - q_i) / t
 *
 * At its least L is the entropy of q, not 0: KL(q || p), which some code calls ListNet, is smaller by that constant and has the same
 * gradient. Labels that are all equal ask for equal scores. O(n).
 *
 * Source: "Learning to Rank: From Pairwise Approach to Listwise Approach" (2007).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function listNet(scores: Floats, labels: Floats, options: ListNetOptions = {}): TemperedLoss {
  checkKeys(options, ['temperature', 'labelTemperature']);
  const s = checkFloats(scores, 'scores');
  const temperature = checkTemperature(options.temperature ?? 1);
  const labelTemperature = checkTemperature(options.labelTemperature ?? 1);
  const q = softmaxWithLogs(checkFloats(labels, 'labels', s.length), labelTemperature).probabilities;
  const { logs, probabilities } = softmaxWithLogs(s, temperature);
  const gradient = probabilities.map((p, i) => (p - q[i]!) / temperature);
  return {
    loss: -q.reduce((sum, share, i) => sum + share * logs[i]!, 0),
    gradient,
    temperatureGradient: temperatureGradient(s, gradient, temperature),
  };
}

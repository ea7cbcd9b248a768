import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import { IGNORED } from './agreement-labels.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkFloats, type Floats, type TemperatureOption, type TemperedLoss } from './loss-arguments.js';

/**
 * Binary cross entropy of each document's share of a softmax, p = softmax(s / t) over all documents, labelled or not, and N labels y:
 *
 *     L = -1/N sum over labelled i of ( y_i ln p_i + (1 - y_i) ln(1 - p_i) )
 *     dL/ds_k = -1/(N t) sum over labelled i of ( y_i ([i = k] - p_k) + (1 - y_i) (r_ik - p_k) )
 *
 * with r_i the softmax without document i: ln(1 - p_i) is the log-sum-exp of the others, exact where p_i is nearly 1. Several
 * documents with the label 1 cannot all have p = 1: they end with equal shares. O(n x labelled documents).
 *
 * The released code divides by the number of terms that are not exactly 0; here by the number of labels.
 *
 * Source: the loss of RA-VQA's retriever, "Retrieval Augmented Visual Question Answering with Outside Knowledge" (2022).
 *
 * @param labels - per document 0, 1, or -1 where it is left out; `agreementLabels` makes them
 * @throws GranuleError `INVALID_ARGUMENT` for another label, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`; `TARGET_INVALID`
 * where all labels are left out, or the only document has the label 0: its p is 1 whatever its score
 */
export function softmaxBinaryCrossEntropy(
  scores: Floats,
  labels: Floats,
  options: TemperatureOption = {},
): TemperedLoss {
  checkKeys(options, ['temperature']);
  const s = checkFloats(scores, 'scores');
  const y = checkLabels(checkFloats(labels, 'labels', s.length));
  const temperature = checkTemperature(options.temperature ?? 1);
  const { logs, probabilities } = softmaxWithLogs(s, temperature);
  const labelled = y.reduce((count, label) => count + (label === IGNORED ? 0 : 1), 0);
  const gradient = new Float64Array(s.length);
  let loss = 0;
  for (const [i, label] of y.entries()) {
    if (label === IGNORED) continue;
    const others = label === 0 ? logSumExp(logs, (k) => k !== i) : 0;
    loss -= (label === 1 ? logs[i]! : others) / labelled;
    for (let k = 0; k < s.length; k++) {
      const share = label === 1 ? Number(k === i) : k === i ? 0 : Math.exp(logs[k]! - others);
      gradient[k]! -= (share - probabilities[k]!) / (labelled * temperature);
    }
  }
  return { loss, gradient, temperatureGradient: temperatureGradient(s, gradient, temperature) };
}

function checkLabels(labels: Float64Array): Float64Array {
  const strange = labels.findIndex((label) => label !== 0 && label !== 1 && label !== IGNORED);
  if (strange !== -1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `labels are 0, 1 or -1, got ${labels[strange]} at ${strange}`,
      {
        position: strange,
      },
    );
  }
  if (labels.every((label) => label === IGNORED)) {
    throw new GranuleError('TARGET_INVALID', 'all labels are left out');
  }
  if (labels.length === 1 && labels[0] === 0) {
    throw new GranuleError('TARGET_INVALID', 'the only document has the label 0, and a probability of 1');
  }
  return labels;
}

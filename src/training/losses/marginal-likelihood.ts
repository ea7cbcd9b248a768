import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature, show } from '../../index/arguments.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkFloats, type Floats, type TemperatureOption, type TemperedLoss } from './loss-arguments.js';

/** Options of {@link marginalLikelihood}. */
export interface MarginalLikelihoodOptions extends TemperatureOption {
  /** T, 1 by default: log-likelihoods are those of whole answers. More: of T tokens, each summed over documents by itself. */
  readonly tokens?: number | undefined;
}

/** What {@link marginalLikelihood} gives. */
export interface MarginalLikelihoodLoss extends TemperedLoss {
  /** dL/dl, as `logLikelihoods` lie. A reader that does not learn leaves it unused. */
  readonly readerGradient: Float64Array;
}

/**
 * The likelihood of the right answer, summed over the documents it may have come from, with p = softmax(s / t):
 *
 *     L = - sum over tokens y of ln sum over documents d of p_d exp(l_dy)
 *     w_dy = softmax over d of (ln p_d + l_dy): which document explains y
 *     dL/ds_d = sum_y (p_d - w_dy) / t,     dL/dl_dy = -w_dy
 *
 * - One token, the whole answer: the marginal of RAG-sequence, which RA-VQA, MiRAG's code and, with a reader that does not
 *   learn here, EMDR2 train by.
 * - T tokens: RAG-token; Atlas trains its EMDR2 so, divided by T.
 *
 * O(n T). Sources: "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks" (2020); "End-to-End Training of Multi-Document
 * Reader and Retriever for Open-Domain Question Answering" (2021), EMDR2; "Atlas: Few-shot Learning with Retrieval Augmented Language
 * Models" (2022).
 *
 * @param logLikelihoods - n x T, row-major: per document, ln p(token | d, what came before it), finite
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function marginalLikelihood(
  scores: Floats,
  logLikelihoods: Floats,
  options: MarginalLikelihoodOptions = {},
): MarginalLikelihoodLoss {
  checkKeys(options, ['temperature', 'tokens']);
  const s = checkFloats(scores, 'scores');
  const temperature = checkTemperature(options.temperature ?? 1);
  const tokens = options.tokens ?? 1;
  if (!Number.isSafeInteger(tokens) || tokens < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `tokens must be a whole number above 0, got ${show(tokens)}`);
  }
  const l = checkFloats(logLikelihoods, 'logLikelihoods', s.length * tokens);
  const { logs, probabilities } = softmaxWithLogs(s, temperature);
  const gradient = new Float64Array(s.length);
  const readerGradient = new Float64Array(l.length);
  let loss = 0;
  for (let token = 0; token < tokens; token++) {
    const joint = logs.map((log, d) => log + l[d * tokens + token]!);
    const marginal = logSumExp(joint);
    loss -= marginal;
    for (let d = 0; d < s.length; d++) {
      const share = Math.exp(joint[d]! - marginal);
      gradient[d]! += (probabilities[d]! - share) / temperature;
      readerGradient[d * tokens + token] = -share;
    }
  }
  return {
    loss,
    gradient,
    readerGradient,
    temperatureGradient: temperatureGradient(s, gradient, temperature),
  };
}

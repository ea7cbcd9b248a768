import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkAtLeast, checkDistribution, checkFloats, type Floats } from './loss-arguments.js';
import { divergenceFromTarget, divergenceToTarget } from './relative-entropy.js';

/** Options of {@link sharedRelevance}. */
export interface SharedRelevanceOptions {
  /** How much retriever and reranker are drawn to each other: finite, at least 0; 1 by default. */
  readonly mu?: number | undefined;
  /** Of the retriever's softmax; 1 by default. */
  readonly retrieverTemperature?: number | undefined;
  /** Of the reranker's softmax; 1 by default. */
  readonly rerankerTemperature?: number | undefined;
}

/** What {@link sharedRelevance} gives. */
export interface SharedRelevanceLoss {
  readonly loss: number;
  /** dL/ds of the retriever. */
  readonly retrieverGradient: Float64Array;
  /** dL/ds of the reranker. */
  readonly rerankerGradient: Float64Array;
  /** dL/dt_p. For a learned ln t_p it is t_p times this. */
  readonly retrieverTemperatureGradient: number;
  /** dL/dt_c. */
  readonly rerankerTemperatureGradient: number;
}

/**
 * One relevance loss for a retriever and a reranker over the same candidates, with r the targets divided by their sum,
 * p = softmax(retriever / t_p) and c = softmax(reranker / t_c):
 *
 *     L = KL(r || p) + KL(r || c) + mu KL(c || p)
 *     dL/d(retriever)_i = ((p_i - r_i) + mu (p_i - c_i)) / t_p
 *     dL/d(reranker)_i  = ((c_i - r_i) + mu c_i (ln c_i - ln p_i - KL(c || p))) / t_c
 *
 * O(n). This project's definition of the loss that "FG-RAG" (abstract) has retriever and reranker share; its formula is not published.
 *
 * @param targets - weights of at least 0: labels, or a model's judgement
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`; `TARGET_INVALID` where no weight is above 0
 */
export function sharedRelevance(
  retriever: Floats,
  reranker: Floats,
  targets: Floats,
  options: SharedRelevanceOptions = {},
): SharedRelevanceLoss {
  checkKeys(options, ['mu', 'retrieverTemperature', 'rerankerTemperature']);
  const mu = checkAtLeast(options.mu ?? 1, 0, 'mu');
  const retrieverTemperature = checkTemperature(options.retrieverTemperature ?? 1);
  const rerankerTemperature = checkTemperature(options.rerankerTemperature ?? 1);
  const s = checkFloats(retriever, 'retriever');
  const z = checkFloats(reranker, 'reranker', s.length);
  const r = checkDistribution(targets, 'targets', s.length);
  const p = softmaxWithLogs(s, retrieverTemperature);
  const c = softmaxWithLogs(z, rerankerTemperature);

  const retrieved = divergenceFromTarget(r, p);
  const reranked = divergenceFromTarget(r, c);
  const taught = divergenceFromTarget(c.probabilities, p);
  const teaching = divergenceToTarget(c, p.logs);
  const retrieverGradient = retrieved.gradient.map(
    (g, i) => (g + mu * taught.gradient[i]!) / retrieverTemperature,
  );
  const rerankerGradient = reranked.gradient.map(
    (g, i) => (g + mu * teaching.gradient[i]!) / rerankerTemperature,
  );
  return {
    loss: retrieved.divergence + reranked.divergence + mu * teaching.divergence,
    retrieverGradient,
    rerankerGradient,
    retrieverTemperatureGradient: temperatureGradient(s, retrieverGradient, retrieverTemperature),
    rerankerTemperatureGradient: temperatureGradient(z, rerankerGradient, rerankerTemperature),
  };
}

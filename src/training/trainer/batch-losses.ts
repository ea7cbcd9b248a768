import type { ContrastDirection } from '../../native/training-types.js';
import { biGranularRelevance } from '../losses/bi-granular-relevance.js';
import { lambdaLoss } from '../losses/lambda-loss.js';
import { listNet } from '../losses/list-net.js';
import type { ListLoss } from '../losses/loss-arguments.js';
import { pointwiseCrossEntropy } from '../losses/pointwise-cross-entropy.js';
import { rankNet } from '../losses/rank-net.js';
import { softmaxCrossEntropy } from '../losses/softmax-cross-entropy.js';
import type { TrainingBatch } from './training-batch.js';

type ListLossOf = (scores: Float64Array, relevance: Float64Array) => ListLoss;

/** Losses over a query's own candidates: its positives and its negatives. */
const LIST_LOSSES = {
  'softmax-cross-entropy': (scores, relevance) => softmaxCrossEntropy(scores, relevance),
  'softmax-cross-entropy-mean': (scores, relevance) =>
    softmaxCrossEntropy(scores, relevance, { form: 'mean-of-logs' }),
  'rank-net': (scores, relevance) => rankNet(scores, relevance),
  'list-net': (scores, relevance) => listNet(scores, relevance),
  'lambda-loss': (scores, relevance) => lambdaLoss(scores, relevance),
  'pointwise-cross-entropy': (scores, relevance) => pointwiseCrossEntropy(scores, relevance),
  'bi-granular-relevance': (scores, relevance) => biGranularRelevance(scores, relevance),
} as const satisfies Record<string, ListLossOf>;

/** Losses that compare a query with the documents of its whole batch. */
const IN_BATCH_LOSSES = {
  'in-batch-contrast': 'both',
  'in-batch-contrast-one-way': 'query-to-document',
} as const satisfies Record<string, ContrastDirection>;

/** A loss that looks at a query's own candidates only. */
export type ListLossName = keyof typeof LIST_LOSSES;

/** A loss that a retriever can be trained by, named after its function; see docs/losses.md. */
export type RetrieverLoss = ListLossName | keyof typeof IN_BATCH_LOSSES;

/** All of them. */
export const RETRIEVER_LOSSES = [
  ...Object.keys(IN_BATCH_LOSSES),
  ...Object.keys(LIST_LOSSES),
] as readonly RetrieverLoss[];

/** Whether a loss looks at a query's own candidates only, and so needs negatives. */
export function isListLoss(loss: RetrieverLoss): loss is ListLossName {
  return Object.hasOwn(LIST_LOSSES, loss);
}

/** Which side of a batch looks for its partner among all of the other, as a loss has it. */
export function directionOf(loss: Exclude<RetrieverLoss, ListLossName>): ContrastDirection {
  return IN_BATCH_LOSSES[loss];
}

/** A batch's loss over scores, and how it changes. */
export interface BatchLoss {
  readonly loss: number;
  /** dL/ds: queries x documents. */
  readonly gradient: Float32Array;
  /** dL/d ln t. */
  readonly logTemperatureGradient: number;
}

/**
 * The mean over a batch's queries of the loss of their own candidates, by scores that are divided by the temperature t, z = s / t:
 * dL/ds = (dL/dz) / t, dL/d ln t = -sum of z dL/dz.
 *
 * @param scores - queries x documents
 * @throws GranuleError `NOT_FINITE`
 */
export function meanOfLists(
  name: ListLossName,
  scores: Float32Array,
  { queries, documents, candidates, relevance }: TrainingBatch,
  temperature: number,
): BatchLoss {
  const gradient = new Float32Array(scores.length);
  let [sum, slope] = [0, 0];
  for (let query = 0; query < queries.length; query++) {
    const columns = candidates[query]!;
    const first = query * documents.length;
    const tempered = Float64Array.from(columns, (column) => scores[first + column]! / temperature);
    const list = LIST_LOSSES[name](tempered, relevance[query]!);
    sum += list.loss;
    for (const [i, column] of columns.entries()) {
      const share = list.gradient[i]! / queries.length;
      gradient[first + column] = share / temperature;
      slope -= share * tempered[i]!;
    }
  }
  return { loss: sum / queries.length, gradient, logTemperatureGradient: slope };
}

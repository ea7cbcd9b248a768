import { biGranularRelevance } from '../losses/bi-granular-relevance.js';
import { inBatchContrast } from '../losses/in-batch-contrast.js';
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
} as const;

/** A loss that a retriever can be trained by, named after its function; see docs/losses.md. */
export type RetrieverLoss = keyof typeof LIST_LOSSES | keyof typeof IN_BATCH_LOSSES;

/** All of them. */
export const RETRIEVER_LOSSES = [
  ...Object.keys(IN_BATCH_LOSSES),
  ...Object.keys(LIST_LOSSES),
] as readonly RetrieverLoss[];

/** Whether a loss looks at a query's own candidates only, and so needs negatives. */
export function isListLoss(loss: RetrieverLoss): loss is keyof typeof LIST_LOSSES {
  return Object.hasOwn(LIST_LOSSES, loss);
}

/** A batch's loss, and how it changes. */
export interface BatchLoss {
  readonly loss: number;
  /** dL/ds: queries x documents. */
  readonly gradient: Float32Array;
  /** dL/d ln t. */
  readonly logTemperatureGradient: number;
}

/**
 * The loss of a batch over scores that are divided by the temperature t, z = s / t: dL/ds = (dL/dz) / t, dL/d ln t = -sum of z dL/dz. In a batch a
 * query's further positives are no negatives of it. Losses of lists are averaged over the queries.
 *
 * @param scores - queries x documents
 * @throws GranuleError `NOT_FINITE`
 */
export function batchLoss(
  name: RetrieverLoss,
  scores: Float32Array,
  batch: TrainingBatch,
  temperature: number,
): BatchLoss {
  const tempered = Float64Array.from(scores, (score) => score / temperature);
  const { loss, gradient } = isListLoss(name)
    ? meanOfLists(LIST_LOSSES[name], tempered, batch)
    : inBatchContrast(tempered, {
        queries: batch.queries.length,
        positives: batch.positives,
        excluded: furtherPositives(batch),
        direction: IN_BATCH_LOSSES[name],
      });
  let slope = 0;
  for (let i = 0; i < tempered.length; i++) slope -= gradient[i]! * tempered[i]!;
  return {
    loss,
    gradient: Float32Array.from(gradient, (g) => g / temperature),
    logTemperatureGradient: slope,
  };
}

function meanOfLists(listLoss: ListLossOf, scores: Float64Array, batch: TrainingBatch): ListLoss {
  const { queries, documents, candidates, relevance } = batch;
  const gradient = new Float64Array(scores.length);
  let sum = 0;
  for (let query = 0; query < queries.length; query++) {
    const places = Array.from(candidates[query]!, (column) => query * documents.length + column);
    const list = listLoss(
      Float64Array.from(places, (place) => scores[place]!),
      relevance[query]!,
    );
    sum += list.loss;
    for (const [i, place] of places.entries()) gradient[place] = list.gradient[i]! / queries.length;
  }
  return { loss: sum / queries.length, gradient };
}

function furtherPositives({
  queries,
  documents,
  positives,
  candidates,
  relevance,
}: TrainingBatch): Uint8Array {
  const excluded = new Uint8Array(queries.length * documents.length);
  for (let query = 0; query < queries.length; query++) {
    for (const [i, column] of candidates[query]!.entries()) {
      const further = relevance[query]![i]! > 0 && column !== positives[query];
      if (further) excluded[query * documents.length + column] = 1;
    }
  }
  return excluded;
}

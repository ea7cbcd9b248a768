import { checkSignal } from '../../index/arguments.js';
import type { Tower } from '../towers/tower.js';
import { RetrieverTraining, type TrainingEnd } from './retriever-training.js';
import { type TrainOptions, type TrainPlan, trainPlan } from './train-options.js';
import { checkRetrieverData, type RetrieverData } from './training-data.js';
import type { TrainingEvaluation, TrainingHistory } from './training-history.js';

/** What {@link trainRetriever} gives. */
export interface TrainedRetriever {
  readonly query: Tower;
  /** Where one was asked for. */
  readonly document?: Tower;
  /** t of the parameters that are kept. */
  readonly temperature: number;
  /** The retriever as it was, and as it is kept; absent without `dev`. */
  readonly before?: TrainingEvaluation;
  readonly after?: TrainingEvaluation;
  readonly history: TrainingHistory;
  /** Whether all steps were taken, or the measure did not get better any more. */
  readonly end: TrainingEnd;
  /** The step after which this call went on from a checkpoint; 0 without one. */
  readonly resumedAt: number;
  /** Options with their defaults. */
  readonly plan: TrainPlan;
}

/**
 * Trains a retriever on top of frozen vectors: score(q, d) = <tower(q), d>, or <tower(q), tower'(d)> with a tower of documents.
 *
 * A step takes the next queries of the epoch's order, their positives and their negatives (those given and those mined by exact search with the
 * towers of the moment), and goes down the gradient of the loss by AdamW. After each epoch `dev` is measured by exact
 * search; the parameters that measured best are kept, those at the beginning included, and training ends where `patience` measurements brought none
 * better. Weights are the same bits on every run and number of threads of one machine and version of Node.
 *
 * Per step a product of matrices of the batch, 2 n m d operations for n queries and m documents, thrice; memory for their n m scores in float32. Losses
 * of a batch run off the JavaScript thread (`inBatchContrastOfVectors`), those of lists in float64 on it, over each query's own candidates.
 *
 * @example
 * ```ts
 * const { query, before, after } = await trainRetriever({ documents, train, dev }, { epochs: 20, seed: 1 });
 * const vectors = await query.encode(queries); // search the same index by these
 * ```
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `DIMENSION_INVALID`, `TEMPERATURE_INVALID`, `NOT_FINITE` for data with such a
 * number, `TRAINING_DATA_INVALID`; `TRAINING_DIVERGED` with `details.step`, and `details.checkpoint` where there is one;
 * `CHECKPOINT_MISMATCH`, `TRAINING_FILE_INVALID`, `FILE_NOT_WRITABLE`, `OUT_OF_MEMORY`, `ABORTED`
 */
export async function trainRetriever(
  data: RetrieverData,
  options: TrainOptions = {},
): Promise<TrainedRetriever> {
  await checkRetrieverData(data, checkSignal(options.signal));
  const plan = trainPlan(options, data);
  using training = await RetrieverTraining.open(data, plan, options);
  const resumedAt = training.taken;
  options.onPlan?.(plan, resumedAt);
  const end = await training.run();
  const { towers, history, best } = training;
  const { query, document, temperature } = towers;
  const [before] = history.evaluations;
  return {
    query,
    ...(document && { document }),
    temperature,
    ...(before && { before }),
    ...(best && { after: best }),
    history,
    end,
    resumedAt,
    plan,
  };
}

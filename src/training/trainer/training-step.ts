import { type Matrix, matrix } from '../../vectors/matrix.js';
import { inBatchContrastOfTowers, type TowerContrast } from '../losses/in-batch-contrast-of-towers.js';
import type { PassOptions } from '../towers/native-tower.js';
import { Tower } from '../towers/tower.js';
import {
  directionOf,
  isListLoss,
  type ListLossName,
  meanOfLists,
  type RetrieverLoss,
} from './batch-losses.js';
import { pickedRows } from './picked-rows.js';
import type { RetrieverTowers } from './retriever-towers.js';
import { furtherPositives, type TrainingBatch } from './training-batch.js';

interface BatchVectors {
  readonly queries: Matrix;
  readonly documents: Matrix;
}

/**
 * Loss of a batch; its gradients are in the towers' parameters afterwards, and nothing else is. A query's further positives are no negatives of it.
 *
 * @throws GranuleError `NOT_FINITE`, `ABORTED`, `OUT_OF_MEMORY`
 */
export async function lossAndGradients(
  towers: RetrieverTowers,
  { queries, documents }: BatchVectors,
  batch: TrainingBatch,
  loss: RetrieverLoss,
  options: PassOptions,
): Promise<number> {
  const { workspace, ...rest } = options;
  towers.zeroGradients();
  const { temperature } = towers;
  const picked = {
    queries: pickedRows(queries, batch.queries, workspace),
    documents: pickedRows(documents, batch.documents, workspace),
  };
  const value = isListLoss(loss)
    ? await lossOfLists(towers, picked, batch, loss, options)
    : await inBatchContrastOfTowers(
        { vectors: picked.queries, tower: towers.query },
        { vectors: picked.documents, tower: towers.document },
        {
          positives: batch.positives,
          excluded: furtherPositives(batch),
          direction: directionOf(loss),
          temperature,
          ...rest,
        },
      );
  towers.addLogTemperatureGradient(temperature * value.temperatureGradient);
  return value.loss;
}

/** Each query with its own candidates. */
async function lossOfLists(
  towers: RetrieverTowers,
  { queries, documents }: BatchVectors,
  batch: TrainingBatch,
  loss: ListLossName,
  options: PassOptions,
): Promise<TowerContrast> {
  const queryPass = await towers.query.forward(queries, options);
  const found = await towers.forwardDocuments(documents, options);
  // The scores of all queries with all documents, S = Q D^T, are what a linear tower with the weight D gives. Backwards it gives dL/dQ = G D as
  // the gradient of its inputs, and dL/dD = G^T Q as that of its weight.
  const { data, rows, columns } = found.outputs;
  const product = Tower.from(
    { kind: 'linear', input: columns, output: rows, bias: false, normalise: false },
    { weight: data },
  );
  const scores = await product.forward(queryPass.outputs, options);
  const { temperature } = towers;
  const value = meanOfLists(loss, scores.outputs.data, batch, temperature);
  const queryGradient = await scores.backward(matrix(value.gradient, rows), { ...options, inputs: true });
  await queryPass.backward(queryGradient, options);
  await found.pass?.backward(matrix(product.parameters.get('weight')!.gradient, columns), options);
  return { loss: value.loss, temperatureGradient: value.logTemperatureGradient / temperature };
}

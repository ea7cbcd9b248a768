import { type Matrix, matrix } from '../../vectors/matrix.js';
import { inBatchContrastOfVectors, type VectorContrast } from '../losses/in-batch-contrast-of-vectors.js';
import type { PassOptions } from '../towers/native-tower.js';
import { Tower } from '../towers/tower.js';
import { directionOf, isListLoss, meanOfLists, type RetrieverLoss } from './batch-losses.js';
import { pickedRows } from './picked-rows.js';
import type { RetrieverTowers } from './retriever-towers.js';
import { furtherPositives, type TrainingBatch } from './training-batch.js';

/**
 * Loss of a batch; its gradients are in the towers' parameters afterwards, and nothing else is.
 *
 * @throws GranuleError `NOT_FINITE`, `ABORTED`, `OUT_OF_MEMORY`
 */
export async function lossAndGradients(
  towers: RetrieverTowers,
  { queries, documents }: { readonly queries: Matrix; readonly documents: Matrix },
  batch: TrainingBatch,
  loss: RetrieverLoss,
  options: PassOptions,
): Promise<number> {
  const { workspace } = options;
  towers.zeroGradients();
  const queryPass = await towers.query.forward(pickedRows(queries, batch.queries, workspace), options);
  const found = await towers.forwardDocuments(pickedRows(documents, batch.documents, workspace), options);
  const vectors = { queries: queryPass.outputs, documents: found.outputs };
  const { temperature } = towers;
  const value = await lossOfVectors(vectors, batch, loss, temperature, options);
  await queryPass.backward(value.queryGradient, options);
  await found.pass?.backward(value.documentGradient, options);
  towers.addLogTemperatureGradient(temperature * value.temperatureGradient);
  return value.loss;
}

/**
 * Loss of a batch's vectors with its gradients. In a batch a query's further positives are no negatives of it.
 *
 * @param vectors - as the towers map them: queries x columns, documents x columns
 */
export async function lossOfVectors(
  { queries, documents }: { readonly queries: Matrix; readonly documents: Matrix },
  batch: TrainingBatch,
  loss: RetrieverLoss,
  temperature: number,
  options: PassOptions,
): Promise<VectorContrast> {
  if (!isListLoss(loss)) {
    const { positives } = batch;
    const excluded = furtherPositives(batch);
    const direction = directionOf(loss);
    return inBatchContrastOfVectors(queries, documents, {
      positives,
      excluded,
      direction,
      temperature,
      ...options,
    });
  }
  // The scores of all queries with all documents, S = Q D^T, are what a linear tower with the weight D gives. Backwards it gives dL/dQ = G D as
  // the gradient of its inputs, and dL/dD = G^T Q as that of its weight.
  const { data, rows, columns } = documents;
  const product = Tower.from(
    { kind: 'linear', input: columns, output: rows, bias: false, normalise: false },
    { weight: data },
  );
  const scores = await product.forward(queries, options);
  const value = meanOfLists(loss, scores.outputs.data, batch, temperature);
  const queryGradient = await scores.backward(matrix(value.gradient, rows), { ...options, inputs: true });
  return {
    loss: value.loss,
    queryGradient,
    documentGradient: matrix(product.parameters.get('weight')!.gradient, columns),
    temperatureGradient: value.logTemperatureGradient / temperature,
  };
}

import { type Matrix, matrix } from '../../vectors/matrix.js';
import type { PassOptions } from '../towers/native-tower.js';
import { Tower } from '../towers/tower.js';
import { batchLoss, type RetrieverLoss } from './batch-losses.js';
import { pickedRows } from './picked-rows.js';
import type { RetrieverTowers } from './retriever-towers.js';
import type { TrainingBatch } from './training-batch.js';

/**
 * Loss of a batch; its gradients are in the towers' parameters afterwards, and nothing else is.
 *
 * The scores of all queries with all documents of the batch are a product of matrices, S = Q D^T: the linear tower whose weight is D, forwards.
 * Backwards it gives dL/dQ = G D as the gradient of its inputs, and dL/dD = G^T Q as that of its weight.
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
  towers.zeroGradients();
  const queryPass = await towers.query.forward(pickedRows(queries, batch.queries), options);
  const found = await towers.forwardDocuments(pickedRows(documents, batch.documents), options);
  const { data, rows, columns } = found.outputs;
  const product = Tower.from(
    { kind: 'linear', input: columns, output: rows, bias: false, normalise: false },
    { weight: data },
  );
  const scores = await product.forward(queryPass.outputs, options);
  const value = batchLoss(loss, scores.outputs.data, batch, towers.temperature);
  const gradient = matrix(value.gradient, rows);
  const queryGradient = await scores.backward(gradient, { ...options, inputs: true });
  await queryPass.backward(queryGradient, options);
  await found.pass?.backward(matrix(product.parameters.get('weight')!.gradient, columns), options);
  towers.addLogTemperatureGradient(value.logTemperatureGradient);
  return value.loss;
}

import { expect, it } from 'vitest';
import { DocumentIndex } from '../../../../src/training/trainer/document-index.js';
import { mineNegatives } from '../../../../src/training/trainer/mine-negatives.js';
import { RetrieverTowers } from '../../../../src/training/trainer/retriever-towers.js';
import { NONE } from '../../../../src/training/trainer/training-batch.js';
import { matrix } from '../../../../src/vectors/matrix.js';

it('hard negatives are the best documents without the positives, with the towers of the moment', async () => {
  const options = { seed: 0, temperature: 1, learnTemperature: true, signal: undefined };
  const shape = { kind: 'linear', input: 2, output: 2 } as const;
  const towers = await RetrieverTowers.create({ query: shape, document: undefined }, options);
  const documents = matrix(Float32Array.of(1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1), 2);
  const queries = { vectors: matrix(Float32Array.of(1, 0, 0, 1), 2), positives: [[0], [3, 1]] };
  using index = new DocumentIndex(towers, documents, { threads: 0, signal: undefined });
  expect([...(await mineNegatives(index, queries, 2, 0))]).toEqual([1, 2, 2, 0]);
  expect([...(await mineNegatives(index, queries, 3, 0))]).toEqual([1, 2, 3, 2, 0, NONE]);
  towers.query.parameters.get('weight')!.values.set([0, 1, 1, 0]);
  expect([...(await mineNegatives(index, queries, 1, 1))]).toEqual([3, 0]);
});

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
  const first = { vectors: queries.vectors, positives: [[0, 1], [3]] };
  expect([...(await mineNegatives(index, first, 2, 0))]).toEqual([2, 3, 2, 1]);
  towers.query.parameters.get('weight')!.values.set([0, 1, 1, 0]);
  expect([...(await mineNegatives(index, queries, 1, 1))]).toEqual([3, 0]);
});

it('hard negatives are those of their query, also behind the queries that are searched for at once', async () => {
  const options = { seed: 0, temperature: 1, learnTemperature: true, signal: undefined };
  const shape = { kind: 'linear', input: 2, output: 2 } as const;
  const towers = await RetrieverTowers.create({ query: shape, document: undefined }, options);
  const around = (count: number, by: number) =>
    Array.from({ length: count }, (_, i) => [Math.cos(by * i), Math.sin(by * i)]);
  const [documents, queries] = [around(40, 0.157), around(1100, 0.73)];
  const positives = queries.map((_, i) => [i % 40, (i + 20) % 40]);
  using index = new DocumentIndex(towers, matrix(Float32Array.from(documents.flat()), 2), {
    threads: 0,
    signal: undefined,
  });
  const vectors = matrix(Float32Array.from(queries.flat()), 2);
  const expected = queries.map(([x, y], i) => {
    const score = ([a, b]: readonly number[]) => a! * x! + b! * y!;
    const others = [...documents.keys()].filter((row) => !positives[i]!.includes(row));
    return others.sort((a, b) => score(documents[b]!) - score(documents[a]!)).slice(0, 2);
  });
  expect([...(await mineNegatives(index, { vectors, positives }, 2, 0))]).toEqual(expected.flat());
});

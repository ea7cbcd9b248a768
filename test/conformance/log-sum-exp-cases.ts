import { expect, it } from 'vitest';
import { FlatIndex, type Hits, type Metric, MultiVectorIndex } from '../../src/index.js';
import { corpusMass, isAllowed, logSumExp, maxSim, rowOf, score } from './oracle.js';
import { Seeded } from './seeded.js';

const METRICS: readonly Metric[] = ['ip', 'cosine', 'l2'];

/** The two numbers of each query are the oracle's, and near those of the mathematics library. */
function expectMass(hits: Hits, scores: readonly number[][], k: number, temperature: number, what: string) {
  const expected = scores.map((all) => corpusMass(all, k, temperature));
  expect([...hits.logSumExp!], `${what}: logSumExp`).toEqual(expected.map(({ logSumExp }) => logSumExp));
  expect([...hits.massShare!], `${what}: massShare`).toEqual(expected.map(({ massShare }) => massShare));
  for (const [query, all] of scores.entries()) {
    if (all.length === 0 || all.some((value) => !Number.isFinite(value))) continue;
    const near = logSumExp(all, temperature);
    const error = Math.abs(hits.logSumExp![query]! - near);
    expect(error, what).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(near)));
  }
}

export function logSumExpCases(): void {
  it.each(METRICS)(
    '%s: vectors, any number of rows and queries, filtered, on any number of threads',
    async (metric) => {
      const seeded = new Seeded(53);
      for (const [dimension, rowCount, batch, threads] of [
        [1, 1, 1, 1],
        [7, 33, 2, 2],
        [16, 500, 35, 3],
        [33, 1_000, 1, 8],
      ] as const) {
        const rows = seeded.normal(rowCount * dimension);
        const queries = seeded.normal(batch * dimension);
        const index = new FlatIndex({ dimension, metric, threads });
        await index.add(rows);
        for (const temperature of [0.02, 1, 1e30]) {
          const filter =
            temperature === 1
              ? Uint8Array.from({ length: Math.ceil(rowCount / 8) }, () => seeded.next())
              : undefined;
          const k = temperature === 0.02 ? rowCount : 1 + seeded.integer(Math.min(20, rowCount));
          const hits = await index.search(queries, { k, temperature, filter, logSumExp: true });
          const scores = Array.from({ length: batch }, (_, query) =>
            Array.from({ length: rowCount }, (_, row) => row)
              .filter((row) => isAllowed(filter, row))
              .map((row) => score(metric, rowOf(queries, query, dimension), rowOf(rows, row, dimension))),
          );
          expectMass(hits, scores, k, temperature, `${rowCount} rows of ${dimension}, t ${temperature}`);
        }
        index.dispose();
      }
    },
  );

  it.each(METRICS)('%s: documents, with candidates', async (metric) => {
    const seeded = new Seeded(59);
    const dimension = 9;
    const lengths = Array.from({ length: 30 }, () => 1 + seeded.integer(12));
    const cut = (data: Float32Array, sizes: readonly number[]) => {
      let at = 0;
      return sizes.map((size) => Array.from({ length: size }, () => rowOf(data, at++, dimension)));
    };
    const data = seeded.normal(lengths.reduce((a, b) => a + b) * dimension);
    const queryVectors = seeded.normal(9 * dimension);
    const documents = cut(data, lengths);
    const queries = cut(queryVectors, [1, 6, 2]);
    const index = new MultiVectorIndex({ dimension, metric });
    await index.add(data, Uint32Array.from(lengths));
    for (const candidates of [undefined, Uint32Array.of(3, 29, 3, 0, 11)]) {
      for (const temperature of [0.3, 5]) {
        const k = 4;
        const hits = await index.search(queryVectors, {
          k,
          lengths: Uint32Array.of(1, 6, 2),
          candidates,
          temperature,
          logSumExp: true,
        });
        const scores = queries.map((query) =>
          documents
            .filter((_, document) => candidates?.includes(document) ?? true)
            .map((document) => maxSim(metric, query, document).score),
        );
        expectMass(
          hits,
          scores,
          k,
          temperature,
          `t ${temperature}, ${candidates ? 'some' : 'all'} documents`,
        );
      }
    }
    index.dispose();
  });
}

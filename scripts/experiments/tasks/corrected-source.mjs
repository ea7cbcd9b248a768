import { queryBankBiases, similarityTile } from '../../../dist/esm/granularity/index.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import { once } from './once.mjs';

/**
 * A dense source with a bias against hubs, from a bank of queries that are not measured.
 *
 * @param vectors - of all its rows
 * @param bank - what the source encodes
 */
export function correctedSource(source, vectors, bank) {
  const { columns } = vectors;
  const indexed = once(async () => {
    const logged = new Float32Array(bank.length * columns);
    for (const [i, query] of bank.entries()) logged.set(await source.encode(query, {}), i * columns);
    const index = new FlatIndex({ dimension: columns });
    const scores = await similarityTile({ data: logged, rows: bank.length, columns }, vectors);
    await index.add(vectors, { biases: queryBankBiases(scores) });
    return index;
  });
  return {
    ...source,
    async search(vector, { k, signal }) {
      const index = await indexed();
      const query = { data: vector, rows: 1, columns };
      return rankedLists(await index.search(query, { k: Math.min(k, index.rows), signal }))[0];
    },
  };
}

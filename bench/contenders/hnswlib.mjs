import { pieces } from '../dataset.mjs';

export default {
  name: 'hnswlib-node',
  package: 'hnswlib-node',
  claimsBits: false,
  copies: 1.1,
  kinds: ['mips'],
  refuses({ workload, threads }) {
    if (threads > 1) return 'its brute force runs on one thread';
    return workload.batch > 1 ? 'takes one query at a time' : undefined;
  },
  async open({ workload, dataset }) {
    const { BruteforceSearch } = (await import('hnswlib-node')).default;
    const { dimension } = dataset;
    const index = new BruteforceSearch('ip', dimension);
    index.initIndex(dataset.rows);
    for (const { firstRow, values } of pieces(dataset)) {
      for (let row = 0; row < values.length / dimension; row++) {
        index.addPoint(Array.from(values.subarray(row * dimension, (row + 1) * dimension)), firstRow + row);
      }
    }
    return {
      elementBytes: 4,
      arithmetic: 'f32',
      search: (query) => index.searchKnn(Array.from(query), workload.k),
      hits: ({ neighbors }) => ({ rows: neighbors }),
    };
  },
};

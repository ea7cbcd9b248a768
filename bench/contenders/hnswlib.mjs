import { pieces } from '../dataset.mjs';

export default {
  name: 'hnswlib-node',
  package: 'hnswlib-node',
  exact: true,
  claimsBits: false,
  copies: () => 1.1,
  kinds: ['mips'],
  refuses({ workload, threads }) {
    if (threads > 1) return 'its brute force runs on one thread';
    return workload.batch > 1 ? 'takes one query at a time' : undefined;
  },
  async open({ dataset }) {
    const { BruteforceSearch } = (await import('hnswlib-node')).default;
    const { dimension } = dataset;
    const index = new BruteforceSearch('ip', dimension);
    index.initIndex(dataset.rows);
    const point = new Array(dimension).fill(0.5);
    for (const { firstRow, values } of pieces(dataset)) {
      for (let start = 0; start < values.length; start += dimension) {
        for (let i = 0; i < dimension; i++) point[i] = values[start + i];
        index.addPoint(point, firstRow + start / dimension);
      }
    }
    return ({ k }) => ({
      elementBytes: 4,
      arithmetic: 'f32',
      search: (query) => index.searchKnn(Array.from(query), k),
      hits: ({ neighbors }) => ({ rows: neighbors }),
    });
  },
};

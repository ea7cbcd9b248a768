import { allVectors } from '../dataset.mjs';

/** `exactSearch` of npm usearch, on float32 or on vectors rounded to int8 by the caller. */
export function usearch(name, type) {
  return {
    name,
    package: 'usearch',
    claimsBits: false,
    copies: type === 'i8' ? 1.25 : 1,
    kinds: ['mips'],
    async open({ workload, dataset, threads }) {
      const { exactSearch, MetricKind } = await import('usearch');
      const { dimension } = dataset;
      const all = allVectors(dataset);
      const scale = type === 'i8' ? 127 / largest(all) : 1;
      const convert = type === 'i8' ? (values) => Int8Array.from(values, toInt8(scale)) : (values) => values;
      const vectors = convert(all);
      // It reads a view from the start of its buffer, so that a query must lie in a buffer of its own.
      const own = type === 'i8' ? convert : (values) => values.slice();
      return {
        elementBytes: type === 'i8' ? 1 : 4,
        arithmetic: type === 'i8' ? 'int8' : 'f32',
        search: (queries) =>
          exactSearch(vectors, own(queries), dimension, workload.k, MetricKind.IP, threads),
        hits: ({ keys }, query) => ({
          rows: Array.from(keys.slice(query * workload.k, (query + 1) * workload.k), Number),
        }),
      };
    },
  };
}

function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function toInt8(scale) {
  return (value) => Math.max(-127, Math.min(127, Math.round(value * scale)));
}

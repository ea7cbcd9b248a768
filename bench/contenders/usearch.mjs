import { allVectors, pieces } from '../dataset.mjs';

/** `exactSearch` of npm usearch, on float32 or on vectors rounded to int8 by the caller. */
export function usearch(name, type) {
  const bytes = type === 'i8';
  return {
    name,
    package: 'usearch',
    exact: !bytes,
    claimsBits: false,
    proportionalFrom: 1,
    copies: () => (bytes ? 0.25 : 1),
    kinds: ['mips'],
    async open({ dataset, threads }) {
      const { exactSearch, MetricKind } = await import('usearch');
      const { dimension } = dataset;
      const scale = bytes ? 127 / largest(dataset) : 1;
      const vectors = bytes ? roundedVectors(dataset, scale) : allVectors(dataset);
      // It reads a view from the start of its buffer, so that a query must lie in a buffer of its own.
      const own = bytes ? (values) => rounded(values, scale) : (values) => values.slice();
      return ({ k }) => ({
        elementBytes: bytes ? 1 : 4,
        arithmetic: bytes ? 'int8' : 'f32',
        search: (queries) => exactSearch(vectors, own(queries), dimension, k, MetricKind.IP, threads),
        hits: ({ keys }, query) => ({
          rows: Array.from(keys.slice(query * k, (query + 1) * k), Number),
        }),
      });
    },
  };
}

function largest(dataset) {
  let most = 0;
  for (const { values } of pieces(dataset)) {
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  }
  return most;
}

function roundedVectors(dataset, scale) {
  const all = new Int8Array(dataset.rows * dataset.dimension);
  for (const { firstRow, values } of pieces(dataset)) {
    all.set(rounded(values, scale), firstRow * dataset.dimension);
  }
  return all;
}

function rounded(values, scale) {
  const codes = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    codes[i] = Math.max(-127, Math.min(127, Math.round(values[i] * scale)));
  }
  return codes;
}

// A deterministic series of changes to an index: change n leads from state n to state n + 1, in any process.

/** @param {number} seed */
function numbers(seed, length) {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export const DIMENSION = 12;

/** Options of the index: every third series keeps documents, every second one 16-bit numbers. */
export function seriesOptions(series) {
  return {
    documents: series % 3 === 2,
    options: {
      dimension: DIMENSION,
      metric: ['ip', 'cosine', 'l2'][series % 3],
      dtype: series % 2 === 0 ? 'f32' : 'f16',
      threads: 1,
    },
  };
}

/** Applies change `n` of a series. */
export async function change(index, series, n) {
  const seed = series * 1_000 + n;
  if (n % 11 === 10) {
    await index.compact();
  } else if (n % 4 === 3) {
    await index.remove(Uint32Array.of(seed % index.rows, (seed * 7) % index.rows));
  } else {
    const rows = 1 + (seed % 40);
    const biases = n % 5 === 1 ? numbers(seed + 1, rows) : undefined;
    if (seriesOptions(series).documents) {
      const lengths = Uint32Array.from({ length: rows }, (_, i) => 1 + ((seed + i) % 3));
      const vectors = lengths.reduce((a, b) => a + b, 0);
      await index.add(numbers(seed, vectors * DIMENSION), lengths, { biases });
    } else {
      await index.add(numbers(seed, rows * DIMENSION), { biases });
    }
  }
}

/** What tells one state from another: rows, removed rows, and the results of a search that returns all of them. */
export async function fingerprint(index) {
  if (index.rows === 0) return '0 rows';
  const hits = await index.search(numbers(77, 2 * DIMENSION), { k: index.rows });
  return JSON.stringify([index.rows, index.removedRows, [...hits.counts], [...hits.rows], [...hits.scores]]);
}

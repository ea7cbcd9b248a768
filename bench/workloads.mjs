/**
 * The workloads, by name. A name says all there is to say, so that any size can be asked for:
 *
 *     mips-<rows>-<dimension>-b<batch>-k<k>                     the k rows of highest inner product, for a batch of queries
 *     maxsim-<documents>x<patches>-<dimension>-q<vectors>       the 10 best documents for one query of several vectors
 *     softmax-<scores>-k<k>                                     the k highest scores and their softmax
 *     add-<rows>-<dimension>                                    adding rows to an empty index
 *     reserved-<rows>-<dimension>                               the same, with room reserved for them before
 *     open-<rows>-<dimension>                                   opening an index from disk, up to the first result
 *     events-<rows>-<dimension>                                 delays of the event loop while rows are added and searched
 *     memory-<rows>-<dimension>                                 memory beyond that of the vectors and their codes
 *     bm25-<passages>-k<k>                                      the k best passages of 50 words for a query of 2 to 6, by BM25
 *     contrast-<pairs>-<input>-<output>                         a training step of two linear towers by all pairs, see contrast-oracle.mjs
 *     survivors-<rows>-<dimension>-k<k>                         rows scored in full, for 100 queries one by one
 *
 * `20k` and `1m` are short for thousands and millions.
 */

import { ROW_PLACES } from './seeded-words.mjs';

const COUNT = '(\\d+[km]?)';

const KINDS = {
  mips: {
    pattern: new RegExp(`^mips-${COUNT}-(\\d+)-b(\\d+)-k(\\d+)$`),
    build: (rows, dimension, batch, k) => ({ rows, dimension, batch, k }),
  },
  maxsim: {
    pattern: new RegExp(`^maxsim-${COUNT}x(\\d+)-(\\d+)-q(\\d+)$`),
    build: (documents, patches, dimension, queryVectors) => ({
      documents,
      patches,
      dimension,
      queryVectors,
      batch: 1,
      k: Math.min(10, documents),
    }),
  },
  softmax: {
    pattern: new RegExp(`^softmax-${COUNT}-k(\\d+)$`),
    build: (scores, k) => ({ scores, batch: 1, k }),
  },
  add: { pattern: new RegExp(`^add-${COUNT}-(\\d+)$`), build: rowsOnly },
  reserved: { pattern: new RegExp(`^reserved-${COUNT}-(\\d+)$`), build: rowsOnly },
  open: { pattern: new RegExp(`^open-${COUNT}-(\\d+)$`), build: rowsOnly },
  events: { pattern: new RegExp(`^events-${COUNT}-(\\d+)$`), build: rowsOnly },
  memory: { pattern: new RegExp(`^memory-${COUNT}-(\\d+)$`), build: rowsOnly },
  bm25: {
    pattern: new RegExp(`^bm25-${COUNT}-k(\\d+)$`),
    build: (rows, k) => ({ rows, dimension: ROW_PLACES, batch: 1, k }),
  },
  contrast: {
    pattern: new RegExp(`^contrast-${COUNT}-(\\d+)-(\\d+)$`),
    build: (pairs, dimension, output) => ({ rows: pairs, pairs, dimension, output, batch: 1, k: 1 }),
  },
  survivors: {
    pattern: new RegExp(`^survivors-${COUNT}-(\\d+)-k(\\d+)$`),
    build: (rows, dimension, k) => ({ rows, dimension, batch: 100, k }),
  },
};

function rowsOnly(rows, dimension) {
  return { rows, dimension, batch: 1, k: Math.min(10, rows) };
}

const SHAPES = ['1m-128', '200k-768', '1m-768'];

/** What `npm run bench` runs when no workload is named. */
export const WORKLOADS = [
  'mips-10k-384-b1-k10',
  ...SHAPES.flatMap((shape) =>
    [1, 32, 512].flatMap((b) => [10, 100].map((k) => `mips-${shape}-b${b}-k${k}`)),
  ),
  'survivors-1m-128-k10',
  'survivors-1m-768-k10',
  'maxsim-20000x50-128-q32',
  'maxsim-1000x1030-128-q20',
  'maxsim-20000x1030-128-q20',
  'softmax-1m-k100',
  'add-1m-768',
  'reserved-1m-768',
  'open-1m-768',
  'events-1m-768',
  'memory-1m-768',
  'bm25-1m-k10',
  'contrast-4096-512-512',
  'contrast-256-768-128',
];

/** What `npm run bench -- --quick` runs: one of each kind, small. */
export const QUICK_WORKLOADS = [
  'mips-2k-64-b1-k10',
  'mips-2k-64-b32-k10',
  'survivors-2k-64-k10',
  'maxsim-50x20-64-q8',
  'softmax-10k-k10',
  'add-2k-64',
  'reserved-2k-64',
  'open-2k-64',
  'events-2k-64',
  'memory-2k-64',
  'bm25-2k-k10',
  'contrast-64-32-16',
];

/** Queries that calls with one query at a time go round. */
export const ROTATION = 32;
/** Query vectors that every dataset has, at least. */
const QUERY_ROWS = 512;

/** @returns the workload, or undefined where the name does not follow the grammar above */
export function parseWorkload(name) {
  for (const [kind, { pattern, build }] of Object.entries(KINDS)) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const numbers = match.slice(1).map(count);
    if (numbers.some((number) => number < 1)) return undefined;
    const workload = { name, kind, ...build(...numbers) };
    const most = workload.rows ?? workload.scores ?? workload.documents;
    // The towers of a contrast begin as vectors of the dataset.
    return workload.k > most || workload.output > workload.pairs ? undefined : workload;
  }
  return undefined;
}

function count(text) {
  const factor = text.endsWith('k') ? 1e3 : text.endsWith('m') ? 1e6 : 1;
  return Number.parseInt(text, 10) * factor;
}

/** Rows of one dimension, and query vectors, that a workload works on. Workloads of one key share them. */
export function datasetOf(workload) {
  if (workload.kind === 'softmax') {
    return { key: `scores-${workload.scores}`, rows: 1, dimension: workload.scores, queryRows: 4 };
  }
  if (workload.kind === 'bm25') {
    const { rows, dimension } = workload;
    return { key: `words-${rows}`, rows, dimension, queryRows: ROTATION, words: true };
  }
  const rows = workload.rows ?? workload.documents * workload.patches;
  const queryRows = Math.max(QUERY_ROWS, workload.pairs ?? 0, workload.batch * vectorsPerQuery(workload));
  return {
    key: `${rows}x${workload.dimension}-${queryRows}`,
    rows,
    dimension: workload.dimension,
    queryRows,
  };
}

/**
 * What workloads must have in common to be measured in one process: searches of the same index are, and what looks at the
 * process itself has one of its own.
 */
export function familyOf({ kind, name, documents, patches }) {
  if (kind === 'mips' || kind === 'survivors') return 'flat';
  return kind === 'maxsim' ? `${documents}x${patches}` : name;
}

/** Whether the number of threads makes no difference to what is measured. */
export function threadsDoNotMatter({ kind }) {
  return kind === 'memory' || kind === 'survivors';
}

/** Vectors that make up one query. */
export function vectorsPerQuery(workload) {
  return workload.queryVectors ?? 1;
}

/** Queries that calls go round: all of a batch, or some where a call has one. */
export function queryCount(workload) {
  if (workload.batch > 1) return workload.batch;
  return Math.min(ROTATION, Math.floor(datasetOf(workload).queryRows / vectorsPerQuery(workload)));
}

/**
 * What one call has to do, whoever does it and however.
 *
 * @param elementBytes bytes of each number that the contender reads
 * @returns bytes read at least, and operations (a multiply-add counts as two); undefined where neither says anything
 */
export function demand(workload, elementBytes) {
  switch (workload.kind) {
    case 'mips': {
      const products = workload.rows * workload.dimension;
      return { bytes: products * elementBytes, operations: 2 * products * workload.batch };
    }
    case 'maxsim': {
      const products = workload.documents * workload.patches * workload.dimension;
      return { bytes: products * elementBytes, operations: 2 * products * workload.queryVectors };
    }
    case 'contrast': {
      const { pairs, dimension, output } = workload;
      // Outputs of two towers and what becomes of their weights; similarities and what becomes of both sides.
      const products = 4 * pairs * dimension * output + 3 * pairs * pairs * output;
      return { bytes: undefined, operations: 2 * products };
    }
    case 'softmax':
      return { bytes: workload.scores * 4, operations: undefined };
    case 'add':
    case 'reserved':
      return { bytes: workload.rows * workload.dimension * 4, operations: undefined };
    default:
      return { bytes: undefined, operations: undefined };
  }
}

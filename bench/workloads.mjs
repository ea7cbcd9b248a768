/**
 * The workloads, by name. A name says all there is to say, so that any size can be asked for:
 *
 *     mips-<rows>-<dimension>-b<batch>-k<k>                     the k rows of highest inner product, for a batch of queries
 *     maxsim-<documents>x<patches>-<dimension>-q<vectors>       the 10 best documents for one query of several vectors
 *     softmax-<scores>-k<k>                                     the k highest scores and their softmax
 *     add-<rows>-<dimension>                                    adding rows to an empty index
 *     open-<rows>-<dimension>                                   opening an index from disk, up to the first result
 *     events-<rows>-<dimension>                                 longest delays of the event loop while rows are added and searched
 *
 * `20k` and `1m` are short for thousands and millions.
 */

const PATTERNS = [
  [
    'mips',
    /^mips-(\d+[km]?)-(\d+)-b(\d+)-k(\d+)$/,
    (rows, dimension, batch, k) => ({ rows, dimension, batch, k }),
  ],
  [
    'maxsim',
    /^maxsim-(\d+[km]?)x(\d+)-(\d+)-q(\d+)$/,
    (documents, patches, dimension, queryVectors) => ({
      documents,
      patches,
      dimension,
      queryVectors,
      batch: 1,
      k: Math.min(10, documents),
    }),
  ],
  ['softmax', /^softmax-(\d+[km]?)-k(\d+)$/, (scores, k) => ({ scores, batch: 1, k })],
  [
    'add',
    /^add-(\d+[km]?)-(\d+)$/,
    (rows, dimension) => ({ rows, dimension, batch: 1, k: Math.min(10, rows) }),
  ],
  [
    'open',
    /^open-(\d+[km]?)-(\d+)$/,
    (rows, dimension) => ({ rows, dimension, batch: 1, k: Math.min(10, rows) }),
  ],
  [
    'events',
    /^events-(\d+[km]?)-(\d+)$/,
    (rows, dimension) => ({ rows, dimension, batch: 1, k: Math.min(10, rows) }),
  ],
];

const SHAPES = ['1m-128', '200k-768', '1m-768'];

/** What `npm run bench` runs when no workload is named. */
export const WORKLOADS = [
  'mips-10k-384-b1-k10',
  ...SHAPES.flatMap((shape) =>
    [1, 32, 512].flatMap((b) => [10, 100].map((k) => `mips-${shape}-b${b}-k${k}`)),
  ),
  'maxsim-20000x50-128-q32',
  'maxsim-1000x1030-128-q20',
  'maxsim-20000x1030-128-q20',
  'softmax-1m-k100',
  'add-1m-768',
  'open-1m-768',
  'events-1m-768',
];

/** Queries that calls with one query at a time go round. */
export const ROTATION = 32;

/** @returns the workload, or undefined where the name does not follow the grammar above */
export function parseWorkload(name) {
  for (const [kind, pattern, build] of PATTERNS) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const numbers = match.slice(1).map(count);
    if (numbers.some((number) => number < 1)) return undefined;
    const workload = { name, kind, ...build(...numbers) };
    return workload.rows !== undefined && workload.k > workload.rows ? undefined : workload;
  }
  return undefined;
}

function count(text) {
  const factor = text.endsWith('k') ? 1e3 : text.endsWith('m') ? 1e6 : 1;
  return Number.parseInt(text, 10) * factor;
}

/** Rows of one dimension, and query vectors, that a workload works on. Workloads of one key share them. */
export function datasetOf(workload) {
  switch (workload.kind) {
    case 'maxsim': {
      const { documents, patches, dimension, queryVectors } = workload;
      const rows = documents * patches;
      return { key: `${rows}x${dimension}-q${queryVectors}`, rows, dimension, queryRows: 8 * queryVectors };
    }
    case 'softmax':
      return { key: `scores-${workload.scores}`, rows: 1, dimension: workload.scores, queryRows: 4 };
    default: {
      const { rows, dimension } = workload;
      return {
        key: `${rows}x${dimension}-${Math.max(512, workload.batch)}`,
        rows,
        dimension,
        queryRows: Math.max(512, workload.batch),
      };
    }
  }
}

/** Vectors that make up one query. */
export function vectorsPerQuery(workload) {
  return workload.queryVectors ?? 1;
}

/** Queries that calls go round: all of a batch, or some where a call has one. */
export function queryCount(workload) {
  if (workload.batch > 1) return workload.batch;
  return Math.min(ROTATION, datasetOf(workload).queryRows / vectorsPerQuery(workload));
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
    case 'softmax':
      return { bytes: workload.scores * 4, operations: undefined };
    case 'add':
      return { bytes: workload.rows * workload.dimension * 4, operations: undefined };
    default:
      return { bytes: undefined, operations: undefined };
  }
}

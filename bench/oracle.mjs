/**
 * The right answers, slow and obvious: inner products in float64 over eight lanes, lanes added pairwise, rounded once to
 * float32; order by score descending, then row ascending.
 */
import { bm25Scores } from './bm25-oracle.mjs';
import { contrastOracle } from './contrast-oracle.mjs';
import { allQueries, pieces, readRows } from './dataset.mjs';
import { queryCount, ROTATION, vectorsPerQuery } from './workloads.mjs';

/** Multiply-adds that the oracle may spend on the vectors of one dataset. */
const BUDGET = 12e9;
const MOST_QUERIES = 16;

/** The reference score of two vectors, before rounding. Lanes are variables: an array of them takes three times as long. */
export function referenceDot(a, aStart, b, bStart, dimension) {
  let [l0, l1, l2, l3, l4, l5, l6, l7] = [0, 0, 0, 0, 0, 0, 0, 0];
  // Beyond the dimension there are zeros, which add nothing.
  const term = (i) => (i < dimension ? a[aStart + i] * b[bStart + i] : 0);
  let i = 0;
  for (; i + 8 <= dimension; i += 8) {
    l0 += a[aStart + i] * b[bStart + i];
    l1 += a[aStart + i + 1] * b[bStart + i + 1];
    l2 += a[aStart + i + 2] * b[bStart + i + 2];
    l3 += a[aStart + i + 3] * b[bStart + i + 3];
    l4 += a[aStart + i + 4] * b[bStart + i + 4];
    l5 += a[aStart + i + 5] * b[bStart + i + 5];
    l6 += a[aStart + i + 6] * b[bStart + i + 6];
    l7 += a[aStart + i + 7] * b[bStart + i + 7];
  }
  if (i < dimension) {
    l0 += term(i);
    l1 += term(i + 1);
    l2 += term(i + 2);
    l3 += term(i + 3);
    l4 += term(i + 4);
    l5 += term(i + 5);
    l6 += term(i + 6);
  }
  return l0 + l1 + (l2 + l3) + (l4 + l5 + (l6 + l7));
}

/** What workloads must have in common to have the same right answers but for k. */
export function oracleKey({ kind, name, documents, patches, queryVectors }) {
  if (kind === 'contrast') return name;
  if (kind === 'softmax' || kind === 'bm25') return kind;
  return kind === 'maxsim' ? `${documents}x${patches} q${queryVectors}` : 'rows';
}

/** Query numbers to check: as many as the budget allows, at least one, evenly spread over those that every call has. */
function sampledQueries(workload, dataset) {
  const cost = dataset.rows * dataset.dimension * vectorsPerQuery(workload);
  const all = workload.kind === 'maxsim' || workload.kind === 'softmax' ? queryCount(workload) : ROTATION;
  const count = Math.max(1, Math.min(MOST_QUERIES, all, Math.floor(BUDGET / cost)));
  return Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));
}

/**
 * The scores of the rows (or documents) that were looked at, for each sampled query.
 *
 * All rows are looked at where the budget allows; of larger sets of documents, every n-th. `judge` adds those that an
 * answer names, so that its own scores are always checked.
 */
export function makeOracle(workload, dataset) {
  if (workload.kind === 'contrast') return contrastOracle(workload, dataset);
  const sample = sampledQueries(workload, dataset);
  const queries = allQueries(dataset);
  if (workload.kind === 'softmax') {
    const scores = sample.map((q) => {
      return queries.subarray(q * dataset.dimension, (q + 1) * dataset.dimension);
    });
    return { sample, scores, share: 1, complete: () => undefined };
  }
  if (workload.kind === 'bm25') {
    const scores = bm25Scores(dataset, queries, sample);
    return { sample, scores, share: 1, complete: () => undefined };
  }
  if (workload.kind === 'maxsim') return documentOracle(workload, dataset, queries, sample);
  const { dimension } = dataset;
  const scores = sample.map(() => new Float32Array(dataset.rows));
  for (const { firstRow, values } of pieces(dataset)) {
    for (let row = 0; row < values.length / dimension; row++) {
      for (const [place, query] of sample.entries()) {
        const dot = referenceDot(queries, query * dimension, values, row * dimension, dimension);
        scores[place][firstRow + row] = dot;
      }
    }
  }
  return { sample, scores, share: 1, complete: () => undefined };
}

function documentOracle(workload, dataset, queries, sample) {
  const scores = sample.map(() => new Map());
  const cost = dataset.rows * dataset.dimension * workload.queryVectors * sample.length;
  const step = Math.max(1, Math.ceil(cost / BUDGET));
  const score = (place, document) => {
    if (scores[place].has(document)) return;
    scores[place].set(document, maxSim(workload, dataset, queries, sample[place], document));
  };
  for (let document = 0; document < workload.documents; document += step) {
    for (const place of sample.keys()) score(place, document);
  }
  const complete = (place, rows) => {
    for (const row of rows) score(place, row);
  };
  return { sample, scores, share: 1 / step, complete };
}

function maxSim({ patches, queryVectors }, dataset, queries, query, document) {
  const { dimension } = dataset;
  const values = readRows(dataset, document * patches, patches);
  let sum = 0;
  for (let v = 0; v < queryVectors; v++) {
    let best = Number.NEGATIVE_INFINITY;
    const start = (query * queryVectors + v) * dimension;
    for (let patch = 0; patch < patches; patch++) {
      best = Math.max(best, Math.fround(referenceDot(queries, start, values, patch * dimension, dimension)));
    }
    sum += best;
  }
  return Math.fround(sum);
}

/**
 * Compares answers with the oracle.
 *
 * recall: of the rows that an answer should name, the share for which it names one whose reference score is at least that
 * of the last place, so that rows of equal score may stand for each other. bitEqual: rows, order and scores are the reference's, bit for bit; null for a
 * contender that does not claim it.
 *
 * An oracle may judge by itself what no order of rows says.
 *
 * @param answers `{ rows, scores }` for the first of the sampled queries, or for all of them
 */
export function judge(oracle, answers, k, claimsBits) {
  if (oracle.judge !== undefined) return oracle.judge(answers);
  let right = 0;
  let wanted = 0;
  let bitEqual = true;
  for (const [place, { rows, scores }] of answers.entries()) {
    oracle.complete(place, rows);
    const best = topK(oracle.scores[place], k);
    const least = best.at(-1)?.score;
    wanted += best.length;
    right += new Set(rows.filter((row) => scoreOf(oracle.scores[place], row) >= least)).size;
    bitEqual &&=
      rows.length === best.length &&
      best.every(({ row, score }, i) => row === rows[i] && Object.is(score, scores?.[i]));
  }
  return {
    recall: right / wanted,
    bitEqual: claimsBits ? bitEqual : null,
    queries: answers.length,
    share: oracle.share,
  };
}

/** Scores lie in an array where all rows were looked at, and in a map where some were. */
function scoreOf(scores, row) {
  return scores instanceof Map ? scores.get(row) : scores[row];
}

function topK(scores, k) {
  const best = [];
  for (const [row, score] of scores.entries()) {
    // A row that is no hit.
    if (Number.isNaN(score)) continue;
    if (best.length === k && !before({ row, score }, best[k - 1])) continue;
    let place = best.length;
    while (place > 0 && before({ row, score }, best[place - 1])) place--;
    best.splice(place, 0, { row, score });
    if (best.length > k) best.pop();
  }
  return best;
}

function before(a, b) {
  return a.score > b.score || (a.score === b.score && a.row < b.row);
}

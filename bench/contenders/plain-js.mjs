import { allVectors } from '../dataset.mjs';
import { demand } from '../workloads.mjs';

/** What a core does in JavaScript, about. */
const OPERATIONS_PER_SECOND = 2e9;
const MOST_SECONDS = 20;

export default {
  name: 'plain-js',
  exact: true,
  claimsBits: true,
  proportionalFrom: 1,
  copies: () => 1,
  kinds: ['mips', 'maxsim', 'softmax'],
  refuses({ workload, threads }) {
    if (threads > 1) return 'JavaScript runs on one thread';
    const { operations = 0 } = demand(workload, 4);
    const seconds = Math.round(operations / workload.batch / OPERATIONS_PER_SECOND);
    return seconds > MOST_SECONDS ? `takes about ${seconds} s for each query` : undefined;
  },
  async open({ workloads, dataset }) {
    const { plainDot, plainScan } = await import('../../dist/esm/cli/bench/plain-scan.js');
    const vectors = workloads[0].kind === 'softmax' ? undefined : allVectors(dataset);
    const { dimension } = dataset;
    return (workload) => {
      const { kind, k } = workload;
      const hits = ({ rows, scores }, query) => ({
        rows: [...rows.slice(query * k, (query + 1) * k)],
        scores: [...scores.slice(query * k, (query + 1) * k)],
      });
      if (kind === 'softmax') return { elementBytes: 4, search: (scores) => softmax(scores, k), hits };
      const search =
        kind === 'maxsim'
          ? (query) => maxSim(plainDot, vectors, query, dimension, workload)
          : (queries) => plainScan(vectors, queries, dimension, k);
      return { elementBytes: 4, arithmetic: 'f32', search, hits };
    };
  },
};

function maxSim(dot, vectors, query, dimension, { documents, patches, queryVectors, k }) {
  const scored = [];
  for (let document = 0; document < documents; document++) {
    let sum = 0;
    for (let v = 0; v < queryVectors; v++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let patch = document * patches; patch < (document + 1) * patches; patch++) {
        const similarity = dot(query, v * dimension, vectors, patch * dimension, dimension);
        if (similarity > best) best = similarity;
      }
      sum += Math.fround(best);
    }
    scored.push({ row: document, score: Math.fround(sum) });
  }
  return best(scored, k);
}

function softmax(scores, k) {
  const top = best(
    Array.from(scores, (score, row) => ({ row, score })),
    k,
  );
  const terms = top.scores.map((score) => Math.exp((score - top.scores[0]) / 0.01));
  const sum = terms.reduce((total, term) => total + term, 0);
  return { ...top, probabilities: terms.map((term) => term / sum) };
}

function best(scored, k) {
  scored.sort((a, b) => b.score - a.score || a.row - b.row);
  return {
    rows: scored.slice(0, k).map(({ row }) => row),
    scores: scored.slice(0, k).map(({ score }) => score),
  };
}

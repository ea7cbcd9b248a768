import { allVectors } from '../dataset.mjs';

export default {
  name: 'plain-js',
  claimsBits: true,
  copies: 1,
  kinds: ['mips', 'maxsim', 'softmax'],
  refuses: ({ threads }) => (threads > 1 ? 'JavaScript runs on one thread' : undefined),
  async open({ workload, dataset }) {
    const { plainDot, plainScan } = await import('../../dist/esm/cli/bench/plain-scan.js');
    const { k } = workload;
    const hits = ({ rows, scores }, query) => ({
      rows: [...rows.slice(query * k, (query + 1) * k)],
      scores: [...scores.slice(query * k, (query + 1) * k)],
    });
    if (workload.kind === 'softmax') return { elementBytes: 4, search: (scores) => softmax(scores, k), hits };
    const vectors = allVectors(dataset);
    const { dimension } = dataset;
    const search =
      workload.kind === 'maxsim'
        ? (query) => maxSim(plainDot, vectors, query, dimension, workload)
        : (queries) => plainScan(vectors, queries, dimension, k);
    return { elementBytes: 4, arithmetic: 'f32', search, hits };
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

/**
 * The measures again, each written from its definition as slowly and plainly as it can be: prefixes are cut out and counted anew for
 * every rank. Independent of `src/evaluation` but for the names.
 */
export interface SlowList {
  /** Relevance of what was retrieved, best first; null where the judgements do not know the document. */
  readonly ranked: readonly (number | null)[];
  /** Cosine of what was retrieved. */
  readonly scores: readonly number[];
  /** Every judgement of the query. */
  readonly judgements: readonly number[];
  readonly level: number;
}

const RANKS = [5, 10, 15, 20, 30, 100, 200, 500, 1000];
const RECALLS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const MULTIPLES = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2];

/** All measures of one query that are numbers, by their printed names. */
export function slowMeasures(list: SlowList): Record<string, number> {
  const { ranked, judgements, level } = list;
  const isRelevant = (grade: number | null) => grade !== null && grade >= level;
  const isNonRelevant = (grade: number | null) => grade !== null && grade >= 0 && grade < level;
  const isUnjudged = (grade: number | null) => grade === null || grade < 0;
  const count = (k: number, test: (grade: number | null) => boolean) =>
    ranked.slice(0, k).filter(test).length;
  const R = judgements.filter(isRelevant).length;
  const N = judgements.filter(isNonRelevant).length;
  const n = ranked.length;
  const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);
  const sumRanks = (k: number, value: (grade: number | null, rank: number) => number) =>
    ranked.slice(0, k).reduce((sum: number, grade, i) => sum + value(grade, i + 1), 0);
  const precision = (k: number) => ratio(count(k, isRelevant), k);
  const precisions = (k: number) => sumRanks(k, (grade, rank) => (isRelevant(grade) ? precision(rank) : 0));
  const ap = (k: number) => ratio(precisions(k), R);
  const iprec = (recall: number) => {
    const needed = Math.floor(recall * R + 0.5);
    const ranks = ranked.map((_, i) => i + 1).filter((rank) => count(rank, isRelevant) >= needed);
    return Math.max(0, ...ranks.map(precision));
  };
  const best = judgements.filter((grade) => grade > 0).sort((a, b) => b - a);
  const dcg = (grades: readonly (number | null)[], k: number, gain: (grade: number) => number) =>
    grades
      .slice(0, k)
      .reduce((sum: number, grade, i) => sum + gain(Math.max(grade ?? 0, 0)) / Math.log2(i + 2), 0);
  const ndcg = (k: number, gain = (grade: number) => grade) =>
    ratio(dcg(ranked, k, gain), dcg(best, k, gain));
  const bpref = ratio(
    sumRanks(n, (grade, rank) => {
      if (!isRelevant(grade)) return 0;
      const above = count(rank, isNonRelevant);
      return above === 0 ? 1 : 1 - Math.min(above, R) / Math.min(N, R);
    }),
    R,
  );
  const infAp = ratio(
    sumRanks(n, (grade, rank) => {
      if (!isRelevant(grade)) return 0;
      if (rank === 1) return 1;
      const r = count(rank - 1, isRelevant);
      const nonRelevant = count(rank - 1, isNonRelevant);
      const pooled = r + nonRelevant + count(rank - 1, (other) => other === -1);
      const share = (r + 1e-5) / (r + nonRelevant + 2e-5);
      return 1 / rank + ((rank - 1) / rank) * (pooled / (rank - 1)) * share;
    }),
    R,
  );
  const gained = (k: number) => sumRanks(k, (grade) => Math.max(grade ?? 0, 0));
  const ideal = (k: number) => {
    const gains = Array.from({ length: k }, (_, i) => best[i] ?? 1);
    return gains.reduce((a, b) => a + b, 0);
  };
  const total = best.reduce((a, b) => a + b, 0);
  const g = ratio(
    sumRanks(n, (grade, rank) => {
      return grade === null || grade <= 0 ? 0 : grade / Math.log2(2 + ideal(rank) - gained(rank));
    }),
    total,
  );
  const binG = ratio(
    sumRanks(n, (grade, rank) => (isRelevant(grade) ? 1 / Math.log2(2 + rank - count(rank, isRelevant)) : 0)),
    R,
  );
  const missing = best.length - ranked.filter((grade) => grade !== null && grade > 0).length;
  const ndcgRel = ratio(
    sumRanks(n, (grade, rank) => (grade !== null && grade > 0 ? ndcg(rank) : 0)) + missing * ndcg(1e9),
    best.length,
  );
  const levels = [...new Set(judgements.filter((grade) => grade >= 0))];
  const levelSizes = levels.map((value) => judgements.filter((grade) => grade >= value).length);
  const rndcg = ratio(
    levelSizes.reduce((sum, size) => sum + ndcg(size), 0),
    levels.length,
  );
  const greatest = Math.max(0, ...judgements);
  const weight = (rank: number) => 0.1 * 0.9 ** (rank - 1);
  const rbp = sumRanks(n, (grade, rank) => ratio(Math.max(grade ?? 0, 0), greatest) * weight(rank));
  const judgedWeight = sumRanks(n, (grade, rank) => (isUnjudged(grade) ? 0 : weight(rank)));
  const setP = precision(n);
  const setR = ratio(count(n, isRelevant), R);
  const found = ranked.findIndex(isRelevant);
  const each = (name: string, ks: readonly number[], value: (k: number) => number) =>
    Object.fromEntries(ks.map((k) => [`${name}_${k}`, value(k)]));
  const eachHundredth = (name: string, xs: readonly number[], value: (x: number) => number) =>
    Object.fromEntries(xs.map((x) => [`${name}_${x.toFixed(2)}`, value(x)]));
  return {
    num_ret: n,
    num_rel: R,
    num_rel_ret: count(n, isRelevant),
    map: ap(n),
    Rprec: precision(R),
    bpref,
    recip_rank: found === -1 ? 0 : 1 / (found + 1),
    ...eachHundredth('iprec_at_recall', RECALLS, iprec),
    ...each('P', RANKS, precision),
    ...each('recall', RANKS, (k) => ratio(count(k, isRelevant), R)),
    infAP: infAp,
    ...eachHundredth('Rprec_mult', MULTIPLES, (x) => precision(Math.floor(x * R + 0.9))),
    utility: count(n, isRelevant) - count(n, (grade) => !isRelevant(grade)),
    '11pt_avg': RECALLS.map(iprec).reduce((a, b) => a + b, 0) / 11,
    binG,
    G: g,
    ndcg: ndcg(1e9),
    ndcg_rel: ndcgRel,
    Rndcg: rndcg,
    ...each('ndcg_cut', RANKS, (k) => ndcg(k)),
    ...each('map_cut', RANKS, ap),
    ...each('relative_P', RANKS, (k) => ratio(count(k, isRelevant), Math.min(k, R))),
    ...each('success', [1, 5, 10], (k) => Number(count(k, isRelevant) > 0)),
    set_P: setP,
    set_relative_P: ratio(count(n, isRelevant), Math.min(n, R)),
    set_recall: setR,
    set_map: setP * setR,
    set_F: ratio(2 * setP * setR, setP + setR),
    num_nonrel_judged_ret: count(n, isNonRelevant),
    rbp,
    rbp_resid: n === 0 ? 0 : 1 - judgedWeight,
    ...each('unj', [5, 10, 20], (k) => count(k, isUnjudged) / k),
    ...each('mrr', [10, 100], (k) => (found === -1 || found >= k ? 0 : 1 / (found + 1))),
    ...each('hit', [1, 5, 10, 20, 100], (k) => Number(count(k, isRelevant) > 0)),
    ...each('ndcg_burges', [5, 10, 20, 100], (k) => ndcg(k, (grade) => 2 ** grade - 1)),
    ...each('circo_map', [5, 10, 25, 50], (k) => ratio(precisions(k), Math.min(k, R))),
    msd: slowSimilarityDistribution(list, isRelevant, R),
  };
}

function slowSimilarityDistribution(
  { ranked, scores }: SlowList,
  isRelevant: (grade: number | null) => boolean,
  R: number,
): number {
  const items = ranked.map((grade, i) => ({ isIn: isRelevant(grade), s: (scores[i]! + 1) / 2 }));
  const mass = (some: readonly { s: number }[]) => some.reduce((sum, { s }) => sum + s, 0);
  const inside = items.filter(({ isIn }) => isIn);
  const outside = items.filter(({ isIn }) => !isIn);
  if (mass(inside) === 0) return 0;
  const average = items.reduce((sum, item, i) => {
    const prefix = items.slice(0, i + 1);
    return item.isIn && mass(prefix) > 0 ? sum + mass(prefix.filter(({ isIn }) => isIn)) / mass(prefix) : sum;
  }, 0);
  const meanOutside = mass(outside) === 0 ? 0 : mass(outside) / outside.length;
  const rho = mass(inside) / inside.length / meanOutside;
  return ((100 * average) / R) * (1 - Math.exp(-rho));
}

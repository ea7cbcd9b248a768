import type { JudgedList } from '../judged-list.js';

/** What a document's relevance is worth: its number for Järvelin and Kekäläinen, 2^relevance - 1 for Burges. */
type Gain = (grade: number) => number;

const linear: Gain = (grade) => grade;
const exponential: Gain = (grade) => 2 ** grade - 1;

/**
 * `ndcg`: DCG / IDCG over the whole list, DCG = sum over ranks r of gain_r / log2(r + 1); IDCG is that of all judged documents in
 * the best order. The gain is the relevance, whatever the relevance level is; below 0 it is 0. 0 where nothing has gain.
 *
 * Source: "Cumulated Gain-based Evaluation of IR Techniques" (2002).
 */
export function normalisedGain(list: JudgedList): number {
  return gainRatio(list, Number.POSITIVE_INFINITY, linear);
}

/** `ndcg_cut_k`: the same over the first k ranks of the list and of the best order. */
export function normalisedGainAt(list: JudgedList, k: number): number {
  return gainRatio(list, k, linear);
}

/**
 * `ndcg_burges_k`: the same with the gain 2^relevance - 1.
 *
 * Source: "Learning to Rank using Gradient Descent" (2005).
 */
export function normalisedExponentialGainAt(list: JudgedList, k: number): number {
  return gainRatio(list, k, exponential);
}

function gainRatio({ relevance, judged }: JudgedList, k: number, gain: Gain): number {
  const best = discountedGain(judged, k, gain);
  return best === 0 ? 0 : discountedGain(relevance, k, gain) / best;
}

function discountedGain(grades: Int32Array, k: number, gain: Gain): number {
  const ranks = Math.min(k, grades.length);
  let sum = 0;
  for (let i = 0; i < ranks; i++) {
    if (grades[i]! > 0) sum += gain(grades[i]!) / Math.log2(i + 2);
  }
  return sum;
}

/**
 * `ndcg_rel`: mean over all documents with gain of nDCG at the document's rank; one that was not retrieved counts with nDCG of the
 * whole list. 0 where nothing has gain.
 */
export function normalisedGainOverRelevant(list: JudgedList): number {
  const { relevance, judged } = list;
  const withGain = judged.filter((grade) => grade > 0).length;
  if (withGain === 0) return 0;
  let [found, best, sum, retrieved] = [0, 0, 0, 0];
  for (const [i, grade] of relevance.entries()) {
    const discount = Math.log2(i + 2);
    best += (judged[i] ?? 0) / discount;
    if (grade <= 0) continue;
    found += grade / discount;
    sum += found / best;
    retrieved += 1;
  }
  return (sum + (withGain - retrieved) * normalisedGain(list)) / withGain;
}

/**
 * `Rndcg`: mean, over the distinct relevances v >= 0 that were judged, of nDCG at rank n_v, the number of judged documents of
 * relevance v and more. 0 where nothing has gain.
 */
export function normalisedGainOverLevels(list: JudgedList): number {
  const { judged } = list;
  let levels = 0;
  let sum = 0;
  for (const [i, grade] of judged.entries()) {
    if (grade === judged[i + 1]) continue;
    levels += 1;
    sum += normalisedGainAt(list, i + 1);
  }
  return levels === 0 ? 0 : sum / levels;
}

/**
 * The reference arithmetic of the engine, slow and obvious. Every instruction set, thread count and batch size is held
 * to these bits.
 *
 * A product of two float32 is exact in JavaScript's float64, and JavaScript never fuses a multiplication with an
 * addition, so each line below has one possible result.
 *
 * @module
 */
import type { Metric } from '../../src/index.js';

export const NO_ROW = 0xffff_ffff;

export interface OracleHits {
  rows: number[];
  scores: number[];
}

/** Row `row` of `data`. */
export function rowOf(data: Float32Array, row: number, dimension: number): Float32Array {
  return data.subarray(row * dimension, (row + 1) * dimension);
}

/** <a, b> in float64: eight lanes, added pairwise. */
export function innerProduct(a: Float32Array, b: Float32Array): number {
  const lane = [0, 0, 0, 0, 0, 0, 0, 0] as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < a.length; i++) lane[i % 8]! += a[i]! * b[i]!;
  return lane[0] + lane[1] + (lane[2] + lane[3]) + (lane[4] + lane[5] + (lane[6] + lane[7]));
}

/** x / |x| in float64, rounded to float32; zero stays zero. */
export function normalised(x: Float32Array): Float32Array {
  const norm = Math.sqrt(innerProduct(x, x));
  return norm === 0 ? x.slice() : x.map((value) => value / norm);
}

/** A vector as a metric compares it: normalised for cosine; for l2 with its product with itself. */
interface Operand {
  readonly vector: Float32Array;
  readonly square: number;
}

function operand(metric: Metric, x: Float32Array): Operand {
  return {
    vector: metric === 'cosine' ? normalised(x) : x,
    square: metric === 'l2' ? innerProduct(x, x) : 0,
  };
}

/** The score of row `x` for query `q`, a float32. */
export function score(metric: Metric, q: Float32Array, x: Float32Array): number {
  return compared(metric, operand(metric, q), operand(metric, x));
}

function compared(metric: Metric, q: Operand, x: Operand): number {
  const product = innerProduct(q.vector, x.vector);
  return Math.fround(metric === 'l2' ? 2 * product - x.square - q.square : product);
}

/** Score descending, then row ascending; the first k. */
export function best(scored: readonly { row: number; score: number }[], k: number): OracleHits {
  // The k-th greatest score: what is below it need not be put in order.
  const least = Float64Array.from(scored, (hit) => hit.score).sort()[Math.max(0, scored.length - k)]!;
  const sorted = scored
    .filter((hit) => hit.score >= least)
    .sort((a, b) => (a.score > b.score ? -1 : a.score < b.score ? 1 : a.row - b.row));
  const kept = sorted.slice(0, k);
  return { rows: kept.map((hit) => hit.row), scores: kept.map((hit) => hit.score) };
}

export function isAllowed(filter: Uint8Array | undefined, row: number): boolean {
  return filter === undefined || (filter[row >> 3]! & (1 << (row & 7))) !== 0;
}

/** The k best rows of `rows` for one query. */
export function flatSearch(
  metric: Metric,
  rows: Float32Array,
  query: Float32Array,
  k: number,
  filter?: Uint8Array,
): OracleHits {
  return flatSearches(metric, rows, query, query.length, k, filter)[0]!;
}

/** The k best rows of `rows` for each query. */
export function flatSearches(
  metric: Metric,
  rows: Float32Array,
  queries: Float32Array,
  dimension: number,
  k: number,
  filter?: Uint8Array,
): OracleHits[] {
  const asked = operands(metric, queries, dimension);
  const stored = operands(metric, rows, dimension);
  return asked.map((query) => {
    const scored: { row: number; score: number }[] = [];
    for (const [row, x] of stored.entries()) {
      if (isAllowed(filter, row)) scored.push({ row, score: compared(metric, query, x) });
    }
    return best(scored, k);
  });
}

function operands(metric: Metric, data: Float32Array, dimension: number): Operand[] {
  return Array.from({ length: data.length / dimension }, (_, row) =>
    operand(metric, rowOf(data, row, dimension)),
  );
}

/** MaxSim of one query (its vectors) and one document (its vectors). */
export function maxSim(
  metric: Metric,
  queryVectors: readonly Float32Array[],
  documentVectors: readonly Float32Array[],
): { score: number; vectors: number[]; similarities: number[] } {
  const vectors: number[] = [];
  const similarities: number[] = [];
  const document = documentVectors.map((vector) => operand(metric, vector));
  let sum = 0;
  for (const query of queryVectors.map((vector) => operand(metric, vector))) {
    let maximum = Number.NEGATIVE_INFINITY;
    let at = NO_ROW;
    for (const [j, vector] of document.entries()) {
      const similarity = compared(metric, query, vector);
      if (similarity > maximum) {
        maximum = similarity;
        at = j;
      }
    }
    vectors.push(at);
    similarities.push(maximum);
    sum += maximum;
  }
  // Infinity and -Infinity have no sum: such a document ranks last.
  return { score: Number.isNaN(sum) ? Number.NEGATIVE_INFINITY : Math.fround(sum), vectors, similarities };
}

/** Sum in eight lanes, added pairwise. */
function laneSum(terms: readonly number[]): number {
  const lane = [0, 0, 0, 0, 0, 0, 0, 0] as [number, number, number, number, number, number, number, number];
  for (const [i, term] of terms.entries()) lane[i % 8]! += term;
  return lane[0] + lane[1] + (lane[2] + lane[3]) + (lane[4] + lane[5] + (lane[6] + lane[7]));
}

/**
 * exp(x) for x <= 0 as 2^n exp(r): n the integer nearest x / ln 2 (ties to even), exp(r) its Taylor polynomial of
 * degree 13 by Horner's rule; 0 below -708.
 */
export function exponential(x: number): number {
  if (!(x >= -708)) return 0;
  const roundToInteger = 1.5 * 2 ** 52;
  const n = x * Math.LOG2E + roundToInteger - roundToInteger;
  const ln2High = 0.6931471803691238;
  const ln2Low = 1.9082149292705877e-10;
  const r = x - n * ln2High - n * ln2Low;
  let factorial = 6_227_020_800;
  let sum = 1 / factorial;
  for (let degree = 13; degree > 0; degree--) {
    factorial /= degree;
    sum = sum * r + 1 / factorial;
  }
  return sum * 2 ** n;
}

/** Softmax of scores in descending order; infinite ones count as the greatest float32 of their sign. */
export function softmax(scores: readonly number[], temperature: number): number[] {
  const greatest = 3.4028234663852886e38;
  const finite = scores.map((value) => Math.max(-greatest, Math.min(greatest, value)));
  const terms = finite.map((value) => exponential((value - finite[0]!) / temperature));
  const sum = laneSum(terms);
  return terms.map((term) => Math.fround(term / sum));
}

/**
 * ln x for x >= 1: x = 2^e f with f at most sqrt(2), g = f - 1 and s = g / (2 + g); ln f = g - s (g - R) with R = 2/3 s^2 + 2/5 s^4
 * + ... + 2/21 s^20 by Horner's rule.
 */
export function logarithm(x: number): number {
  let exponent = 0;
  let f = x;
  while (f >= 2) {
    f /= 2;
    exponent++;
  }
  if (f > Math.SQRT2) {
    f /= 2;
    exponent++;
  }
  const g = f - 1;
  const s = g / (2 + g);
  let r = 2 / 21;
  for (let i = 19; i >= 3; i -= 2) r = r * (s * s) + 2 / i;
  r *= s * s;
  return exponent * 0.6931471803691238 - (s * (g - r) - exponent * 1.9082149292705877e-10 - g);
}

/** A sum of integers in float64: its low 64 bits and the others are rounded by themselves. */
function sumOfTerms(terms: readonly bigint[]): number {
  const sum = terms.reduce((a, b) => a + b, 0n);
  return Number(sum >> 64n) * 2 ** 64 + Number(sum & (2n ** 64n - 1n));
}

/**
 * L = m / t + ln(2^-62 sum_j floor(2^62 exp((s_j - m) / t))) of all scores, and the share that the k greatest have in that sum;
 * infinite scores count as the greatest float32 of their sign.
 */
export function corpusMass(
  scores: readonly number[],
  k: number,
  temperature: number,
): { logSumExp: number; massShare: number } {
  if (scores.length === 0) return { logSumExp: Number.NEGATIVE_INFINITY, massShare: 0 };
  const greatest = 3.4028234663852886e38;
  const finite = scores.map((value) => Math.max(-greatest, Math.min(greatest, value))).sort((a, b) => b - a);
  const terms = finite.map((value) =>
    BigInt(Math.floor(exponential((value - finite[0]!) / temperature) * 2 ** 62)),
  );
  const all = sumOfTerms(terms);
  return {
    logSumExp: finite[0]! / temperature + logarithm(all / 2 ** 62),
    massShare: sumOfTerms(terms.slice(0, k)) / all,
  };
}

/** ln of the sum of exp(s / t), by the mathematics library. */
export function logSumExp(scores: readonly number[], temperature: number): number {
  const maximum = scores.reduce((a, b) => Math.max(a, b));
  const sum = scores.reduce((total, value) => total + Math.exp((value - maximum) / temperature), 0);
  return maximum / temperature + Math.log(sum);
}

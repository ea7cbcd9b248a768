import { GranuleError } from '../errors.js';
import { checkFloat32, checkKeys, checkTemperature } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';
import { checkWhole } from './option-checks.js';

/** Options of `queryBankBiases`. */
export interface QueryBankOptions {
  /** The t by which scores are divided, 0.01 by default: that of inner products of unit vectors. */
  readonly temperature?: number | undefined;
  /** How often queries and rows are normalised in turn, 4 by default. */
  readonly rounds?: number | undefined;
}

/**
 * A correction of hubness: rows that come near the top for many queries of a bank get a lower bias, and the others a
 * higher one. By Sinkhorn's normalisation of E_ij = exp(s_ij / t), query i, row j, in logarithms, so that nothing
 * underflows:
 *
 *     ln b_j = -ln sum over i of E_ij
 *     then `rounds` times:  ln a_i = -ln sum over j of E_ij b_j,  ln b_j = -ln sum over i of a_i E_ij
 *     bias_j = t (ln b_j - ln sum over j of b_j)
 *
 * The bias is in units of the score: score + bias ranks rows for queries outside of the bank, and `FlatIndex.add` takes it, so that
 * the corrected search is exact. O(rounds x queries x rows). The bank should be logged or training queries, not the
 * queries that are evaluated. Unified Coarse-to-Fine Alignment for Video-Text Retrieval (2023); like Cross Modal Retrieval with Querybank
 * Normalisation (2022).
 *
 * @param scores - one row per query of the bank, one column per row that gets a bias; `similarityTile` makes it
 * @returns one bias per column
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH` (also for an empty bank), `NOT_FINITE`, `TEMPERATURE_INVALID`
 *
 * @example
 * ```ts
 * const biases = queryBankBiases(await similarityTile(loggedQueries, rows));
 * await index.add(rows, { biases });
 * ```
 */
export function queryBankBiases(scores: Matrix, options: QueryBankOptions = {}): Float32Array {
  checkKeys(options, ['temperature', 'rounds']);
  const temperature = checkTemperature(options.temperature ?? 0.01);
  const rounds = checkWhole(options.rounds ?? 4, 1, 'rounds');
  checkScores(scores);
  let rowLogs = negativeColumnLogSums(scores, temperature, new Float64Array(scores.rows));
  for (let round = 0; round < rounds; round++) {
    const queryLogs = negativeRowLogSums(scores, temperature, rowLogs);
    rowLogs = negativeColumnLogSums(scores, temperature, queryLogs);
  }
  const greatest = rowLogs.reduce((a, b) => Math.max(a, b));
  const total = greatest + Math.log(rowLogs.reduce((sum, log) => sum + Math.exp(log - greatest), 0));
  return Float32Array.from(rowLogs, (log) => temperature * (log - total));
}

/** Per row j: -ln sum over i of exp(s_ij / t + addend_i). */
function negativeColumnLogSums(
  { data, rows, columns }: Matrix,
  t: number,
  addends: Float64Array,
): Float64Array {
  const greatest = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      greatest[j] = Math.max(greatest[j]!, data[at]! / t + addends[i]!);
    }
  }
  const sums = new Float64Array(columns);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      sums[j]! += Math.exp(data[at]! / t + addends[i]! - greatest[j]!);
    }
  }
  return sums.map((sum, j) => -(greatest[j]! + Math.log(sum)));
}

/** Per query i: -ln sum over j of exp(s_ij / t + addend_j). */
function negativeRowLogSums({ data, rows, columns }: Matrix, t: number, addends: Float64Array): Float64Array {
  const logs = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const first = i * columns;
    let greatest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < columns; j++) greatest = Math.max(greatest, data[first + j]! / t + addends[j]!);
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.exp(data[first + j]! / t + addends[j]! - greatest);
    logs[i] = -(greatest + Math.log(sum));
  }
  return logs;
}

function checkScores({ data, rows, columns }: Matrix): void {
  checkFloat32(data, 'scores.data');
  if (data.length === 0 || data.length !== rows * columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `scores must hold a score for each of one or more queries and rows, got ${rows} x ${columns} with ${data.length} values`,
      { rows, columns },
    );
  }
  const wrong = data.findIndex((score) => !Number.isFinite(score));
  if (wrong === -1) return;
  const [row, column] = [Math.floor(wrong / columns), wrong % columns];
  throw new GranuleError('NOT_FINITE', `the score of query ${row} and row ${column} is ${data[wrong]}`, {
    row,
    column,
  });
}

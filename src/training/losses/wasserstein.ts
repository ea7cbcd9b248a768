import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature, show } from '../../index/arguments.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import {
  checkFloats,
  checkLength,
  type Floats,
  type TemperatureOption,
  type TemperedLoss,
} from './loss-arguments.js';
import { polarFactor } from './polar-factor.js';

/** Options of {@link wasserstein}. */
export interface WassersteinOptions extends TemperatureOption {
  /** b, the rows; at least 2, for a covariance. */
  readonly queries: number;
  /** Of the softmax over labels; 1 by default. */
  readonly labelTemperature?: number | undefined;
}

/**
 * Listwise Wasserstein loss (WS2) over a batch: each row of X = softmax(scores / t) and of Y = softmax(labels / t_y), by row, is a
 * sample of a Gaussian over the m documents. Squared 2-Wasserstein distance of the two Gaussians, covariances over the batch (1 / (b - 1)):
 *
 *     L = |mu_X - mu_Y|^2 + Tr(C_X + C_Y - 2 (C_X C_Y)^(1/2))
 *
 * With A and B the rows less their means, C_X = A^T A / (b - 1), the trace of the root is the sum of the singular values of the b x b
 * matrix M = A B^T / (b - 1), since C_X C_Y and M M^T have the same eigenvalues beside zeros. For M = U S V^T without its zeros,
 * d Tr(S) = Tr(V U^T dM), so
 *
 *     dL/dX = 2/b (mu_X - mu_Y) in every row + 2 / (b - 1) (A - U V^T B)
 *
 * and from there through the softmax of each row. Nothing is divided by a singular value. M is never regular (the rows of A add up to
 * 0); singular values up to max(b, m) 2^-52 |A| |B| are what rounding makes of 0 and are left out. Where they are 0 only at this point, as
 * for two queries with the same scores, L has a kink: the gradient is then the least of its subgradients there. O(b^2 m + b^3).
 *
 * The distance is one of batches, not of lists: it is 0 also where rows are exchanged. Where that is not wanted, mix it with a loss of lists.
 *
 * Source: "Beyond Contrastive Learning: Synthetic Data Enables List-wise Training with Multiple Levels of Relevance" (2025), and its
 * released code.
 *
 * @param scores - b x m, row-major
 * @param labels - b x m relevances; `blockDiagonalLabels` gives those of others' documents 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function wasserstein(scores: Floats, labels: Floats, options: WassersteinOptions): TemperedLoss {
  checkKeys(options, ['temperature', 'queries', 'labelTemperature']);
  const s = checkFloats(scores, 'scores');
  const y = checkFloats(labels, 'labels', s.length);
  const temperature = checkTemperature(options.temperature ?? 1);
  const rows = checkRows(options.queries, s.length);
  const predicted = centred(softmaxRows(s, rows, temperature), rows);
  const target = centred(softmaxRows(y, rows, checkTemperature(options.labelTemperature ?? 1)), rows);
  const columns = s.length / rows;

  const [energy, targetEnergy] = [squares(predicted.deviations), squares(target.deviations)];
  const cross = timesTransposed(predicted.deviations, target.deviations, rows, columns);
  const tolerance = Math.max(rows, columns) * 2 ** -52 * Math.sqrt(energy) * Math.sqrt(targetEnergy);
  const { nuclearNorm, factor } = polarFactor(cross, rows, tolerance);
  const shift = predicted.mean.map((mean, j) => mean - target.mean[j]!);

  const gradient = new Float64Array(s.length);
  for (let i = 0; i < rows; i++) {
    const row = factor.subarray(i * rows, (i + 1) * rows);
    const outer = Float64Array.from(shift, (difference, j) => {
      const matched = row.reduce((sum, f, k) => sum + f * target.deviations[k * columns + j]!, 0);
      const deviation = predicted.deviations[i * columns + j]!;
      return (2 * difference) / rows + (2 * (deviation - matched)) / (rows - 1);
    });
    const p = predicted.values.subarray(i * columns, (i + 1) * columns);
    const mean = p.reduce((sum, share, j) => sum + share * outer[j]!, 0);
    for (let j = 0; j < columns; j++) {
      gradient[i * columns + j] = (p[j]! * (outer[j]! - mean)) / temperature;
    }
  }
  return {
    loss: squares(shift) + (energy + targetEnergy - 2 * nuclearNorm) / (rows - 1),
    gradient,
    temperatureGradient: rowsTemperatureGradient(s, gradient, rows, temperature),
  };
}

/**
 * Labels of a batch in which every query scores the documents of all queries: a query's own labels in its block of columns, 0 in those of
 * the others. O(b m).
 *
 * @param lists - per query, the labels of its documents; m is the sum of their lengths
 * @returns b x m, row-major
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function blockDiagonalLabels(lists: readonly Floats[]): Float64Array {
  checkLength(lists.length, 'lists');
  const columns = lists.reduce((sum, list) => sum + list.length, 0);
  const labels = new Float64Array(lists.length * columns);
  let from = 0;
  for (const [query, list] of lists.entries()) {
    labels.set(checkFloats(list, `lists[${query}]`), query * columns + from);
    from += list.length;
  }
  return labels;
}

interface CentredRows {
  readonly values: Float64Array;
  readonly mean: Float64Array;
  readonly deviations: Float64Array;
}

function centred(values: Float64Array, rows: number): CentredRows {
  const columns = values.length / rows;
  const mean = new Float64Array(columns);
  for (const [at, value] of values.entries()) mean[at % columns]! += value / rows;
  return { values, mean, deviations: values.map((value, at) => value - mean[at % columns]!) };
}

function softmaxRows(values: Float64Array, rows: number, temperature: number): Float64Array {
  const columns = values.length / rows;
  const shares = new Float64Array(values.length);
  for (let from = 0; from < values.length; from += columns) {
    shares.set(softmaxWithLogs(values.subarray(from, from + columns), temperature).probabilities, from);
  }
  return shares;
}

/** A B^T of two rows x columns matrices. */
function timesTransposed(a: Float64Array, b: Float64Array, rows: number, columns: number): Float64Array {
  const product = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += a[i * columns + k]! * b[j * columns + k]!;
      product[i * rows + j] = sum;
    }
  }
  return product;
}

function squares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}

function rowsTemperatureGradient(
  scores: Float64Array,
  gradient: Float64Array,
  rows: number,
  temperature: number,
): number {
  const columns = scores.length / rows;
  let sum = 0;
  for (let from = 0; from < scores.length; from += columns) {
    const [row, slope] = [scores.subarray(from, from + columns), gradient.subarray(from, from + columns)];
    sum += temperatureGradient(row, slope, temperature);
  }
  return sum;
}

function checkRows(rows: number, length: number): number {
  if (!Number.isSafeInteger(rows) || rows < 2) {
    throw new GranuleError('INVALID_ARGUMENT', `queries must be a whole number from 2 on, got ${show(rows)}`);
  }
  if (length % rows !== 0) {
    throw new GranuleError('LENGTH_MISMATCH', `${length} scores do not make rows of ${rows} queries`, {
      length,
    });
  }
  return rows;
}

/**
 * Training steps of two linear towers, slow and obvious, in float64: the outputs divided by their norms, InfoNCE in both
 * directions over the batch with a learned temperature, AdamW.
 *
 *     s_ij = q_i . d_j / t      L = mean_i (ln sum_j exp s_ij + ln sum_j exp s_ji - 2 s_ii) / 2
 *
 * The towers begin as the first vectors of the dataset: those among the queries, and those among the rows.
 */
import { allQueries, allVectors } from './dataset.mjs';

/** What every contender trains with; the temperature's logarithm is learned, and does not decay. */
export const CONTRAST = { temperature: 0.05, rate: 1e-3, decay: 0.01 };
/** Steps whose losses a contender answers. */
export const ANSWERED_STEPS = 3;
/** How far a loss may be off, in parts of it, or of 1 where it is below. */
const TOLERANCE = 1e-3;
/** Multiply-adds that the oracle may spend: of a large batch it works out the first loss alone. */
const BUDGET = 15e9;

/** The right losses of the first steps, as `makeOracle` gives right answers. */
export function contrastOracle(workload, dataset) {
  const { pairs, dimension: input, output } = workload;
  const forwards = 2 * pairs * input * output + pairs * pairs * output;
  const steps = Math.max(1, Math.min(ANSWERED_STEPS, Math.floor(BUDGET / (3 * forwards))));
  const losses = contrastLosses(workload, allQueries(dataset), allVectors(dataset), steps);
  return {
    sample: [0],
    judge: ([{ scores }]) => ({
      recall: shareOfRight(losses, scores),
      bitEqual: null,
      queries: 1,
      share: steps / ANSWERED_STEPS,
    }),
  };
}

/** Of the right losses, the share that was answered. */
export function shareOfRight(losses, answered) {
  const right = losses.filter((loss, i) => Math.abs(answered[i] - loss) <= TOLERANCE * Math.max(1, loss));
  return right.length / losses.length;
}

/** The losses before each of some steps, the first of which begins with what the towers begin as. */

export function contrastLosses({ pairs, dimension: input, output }, queries, documents, steps) {
  const towers = [queries, documents].map((vectors) => ({
    inputs: Float64Array.from(vectors.subarray(0, pairs * input)),
    parameters: [
      parameter(Float64Array.from(vectors.subarray(0, output * input)), CONTRAST.decay),
      parameter(new Float64Array(output), CONTRAST.decay),
    ],
  }));
  const logTemperature = parameter(Float64Array.of(Math.log(CONTRAST.temperature)), 0);
  const losses = [];
  for (let step = 1; step <= steps; step++) {
    for (const tower of towers) forward(tower, pairs, input, output);
    const last = step === steps;
    losses.push(contrast(towers, logTemperature, pairs, output, last));
    if (last) break;
    for (const tower of towers) backward(tower, pairs, input, output);
    for (const each of [...towers.flatMap(({ parameters }) => parameters), logTemperature]) adamW(each, step);
  }
  return losses;
}

function parameter(values, decay) {
  const zeros = () => new Float64Array(values.length);
  return { values, decay, gradient: zeros(), first: zeros(), second: zeros() };
}

function dot(a, aStart, b, bStart, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[aStart + i] * b[bStart + i];
  return sum;
}

/** out[row] += factor * from[row] */
function addRow(factor, from, fromStart, count, out, outStart) {
  for (let i = 0; i < count; i++) out[outStart + i] += factor * from[fromStart + i];
}

function forward(tower, pairs, input, output) {
  const [weight, bias] = tower.parameters;
  tower.outputs = new Float64Array(pairs * output);
  tower.norms = new Float64Array(pairs);
  for (let i = 0; i < pairs; i++) {
    const row = tower.outputs.subarray(i * output, (i + 1) * output);
    for (let o = 0; o < output; o++) {
      row[o] = bias.values[o] + dot(weight.values, o * input, tower.inputs, i * input, input);
    }
    tower.norms[i] = Math.sqrt(dot(row, 0, row, 0, output));
    for (let o = 0; o < output; o++) row[o] /= tower.norms[i];
  }
}

/** The loss; leaves the gradients of the outputs and of the logarithm of the temperature, unless `lossAlone`. */
function contrast([query, document], logTemperature, pairs, output, lossAlone) {
  const temperature = Math.exp(logTemperature.values[0]);
  const scores = new Float64Array(pairs * pairs);
  const [rowSums, columnSums] = [new Float64Array(pairs), new Float64Array(pairs)];
  for (let i = 0; i < pairs; i++) {
    for (let j = 0; j < pairs; j++) {
      const score = dot(query.outputs, i * output, document.outputs, j * output, output) / temperature;
      scores[i * pairs + j] = score;
      // Of unit vectors: no exponential goes past exp(20).
      rowSums[i] += Math.exp(score);
      columnSums[j] += Math.exp(score);
    }
  }
  let loss = 0;
  for (let i = 0; i < pairs; i++) {
    loss += (Math.log(rowSums[i]) + Math.log(columnSums[i])) / 2 - scores[i * pairs + i];
  }
  if (lossAlone) return loss / pairs;
  query.slopes = new Float64Array(pairs * output);
  document.slopes = new Float64Array(pairs * output);
  for (let i = 0; i < pairs; i++) {
    for (let j = 0; j < pairs; j++) {
      const score = scores[i * pairs + j];
      const term = Math.exp(score);
      const slope = ((term / rowSums[i] + term / columnSums[j]) / 2 - (i === j ? 1 : 0)) / pairs;
      addRow(slope / temperature, document.outputs, j * output, output, query.slopes, i * output);
      addRow(slope / temperature, query.outputs, i * output, output, document.slopes, j * output);
      logTemperature.gradient[0] -= slope * score;
    }
  }
  return loss / pairs;
}

function backward({ inputs, outputs, norms, slopes, parameters: [weight, bias] }, pairs, input, output) {
  for (let i = 0; i < pairs; i++) {
    const along = dot(outputs, i * output, slopes, i * output, output);
    for (let o = 0; o < output; o++) {
      const slope = (slopes[i * output + o] - outputs[i * output + o] * along) / norms[i];
      addRow(slope, inputs, i * input, input, weight.gradient, o * input);
      bias.gradient[o] += slope;
    }
  }
}

/** A step with the usual decays of the moments, 0.9 and 0.999; the gradient is 0 afterwards. */
function adamW({ values, decay, gradient, first, second }, step) {
  for (let i = 0; i < values.length; i++) {
    first[i] = 0.9 * first[i] + 0.1 * gradient[i];
    second[i] = 0.999 * second[i] + 0.001 * gradient[i] ** 2;
    const [m, v] = [first[i] / (1 - 0.9 ** step), second[i] / (1 - 0.999 ** step)];
    values[i] -= CONTRAST.rate * (m / (Math.sqrt(v) + 1e-8) + decay * values[i]);
  }
  gradient.fill(0);
}

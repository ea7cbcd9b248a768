/**
 * p_i = exp(x_i / t) / sum_j exp(x_j / t), relative to the greatest, so that nothing overflows.
 *
 * @param values - one or more finite numbers
 */
export function softmax(values: ArrayLike<number>, temperature: number): Float64Array {
  const greatest = largest(values);
  const weights = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = Math.exp((values[i]! - greatest) / temperature);
    weights[i] = weight;
    sum += weight;
  }
  for (let i = 0; i < weights.length; i++) weights[i]! /= sum;
  return weights;
}

function largest(values: ArrayLike<number>): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i]! > greatest) greatest = values[i]!;
  return greatest;
}

import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';

/** Numbers by the name of a parameter, in float64. */
export type Values = Record<string, Float64Array>;

/** A tower's gradients by the chain rule, in float64: the slow and obvious form. */
export interface SlowGradients {
  readonly parameters: Values;
  readonly inputs: Float64Array;
}

const LEAST_NORM = 1e-12;

interface Vector {
  readonly hidden: number[];
  readonly before: number[];
  readonly norm: number;
  readonly output: number[];
}

function times(weight: Float64Array, x: ArrayLike<number>): number[] {
  return Array.from({ length: weight.length / x.length }, (_, i) =>
    Array.from(x).reduce((sum, value, k) => sum + weight[i * x.length + k]! * value, 0),
  );
}

function plus(a: readonly number[], b: ArrayLike<number> | undefined): number[] {
  return a.map((value, i) => value + (b?.[i] ?? 0));
}

function mapVector(shape: TowerShape, values: Values, x: Float64Array): Vector {
  let hidden: number[] = [];
  let before: number[];
  if (shape.kind === 'linear') {
    before = plus(times(values['weight']!, x), values['bias']);
  } else if (shape.kind === 'low-rank') {
    hidden = times(values['down']!, x).map((value) => (shape.scale ?? 1) * value);
    before = plus(times(values['up']!, hidden), x);
  } else {
    hidden = plus(times(values['hidden.weight']!, x), values['hidden.bias']).map((value) =>
      Math.max(0, value),
    );
    before = plus(times(values['output.weight']!, hidden), values['output.bias']);
    if (shape.residual) before = plus(before, x);
  }
  const norm = Math.sqrt(before.reduce((sum, value) => sum + value * value, 0));
  const divisor = (shape.normalise ?? true) ? Math.max(norm, LEAST_NORM) : 1;
  return { hidden, before, norm, output: before.map((value) => value / divisor) };
}

/** The outputs, row after row. */
export function slowOutputs(
  shape: TowerShape,
  values: Values,
  inputs: Float64Array,
  input: number,
): number[] {
  return rowsOf(inputs, input).flatMap((x) => mapVector(shape, values, x).output);
}

/** The gradients of sum of `outputGradient` times the outputs. */
export function slowGradients(
  shape: TowerShape,
  values: Values,
  inputs: Float64Array,
  input: number,
  outputGradient: Float64Array,
): SlowGradients {
  const parameters = Object.fromEntries(
    Object.entries(values).map(([name, { length }]) => [name, new Float64Array(length)]),
  );
  const add = (name: string, slope: readonly number[], from: ArrayLike<number>) => {
    const gradient = parameters[name];
    slope.forEach((s, i) => {
      for (let k = 0; gradient !== undefined && k < from.length; k++)
        gradient[i * from.length + k]! += s * from[k]!;
    });
  };
  const back = (name: string, slope: readonly number[], width: number) =>
    Array.from({ length: width }, (_, k) =>
      slope.reduce((sum, s, i) => sum + s * values[name]![i * width + k]!, 0),
    );
  const rows = rowsOf(inputs, input);
  const inputGradients = rows.flatMap((x, r) => {
    const { hidden, norm, output } = mapVector(shape, values, x);
    const g = Array.from(outputGradient.subarray(r * output.length, (r + 1) * output.length));
    const along = g.reduce((sum, value, i) => sum + value * output[i]!, 0);
    const slope = !(shape.normalise ?? true)
      ? g
      : g.map((value, i) => (norm < LEAST_NORM ? 0 : (value - output[i]! * along) / norm));
    if (shape.kind === 'linear') {
      add('weight', slope, x);
      add('bias', slope, [1]);
      return back('weight', slope, input);
    }
    const [last, first] = shape.kind === 'mlp' ? ['output.weight', 'hidden.weight'] : ['up', 'down'];
    add(last!, slope, hidden);
    if (shape.kind === 'mlp') add('output.bias', slope, [1]);
    const hiddenSlope = back(last!, slope, hidden.length).map((value, j) => {
      if (shape.kind === 'low-rank') return (shape.scale ?? 1) * value;
      return hidden[j]! > 0 ? value : 0;
    });
    add(first!, hiddenSlope, x);
    if (shape.kind === 'mlp') add('hidden.bias', hiddenSlope, [1]);
    const around = shape.kind === 'low-rank' || (shape.kind === 'mlp' && shape.residual);
    return plus(back(first!, hiddenSlope, input), around ? slope : undefined);
  });
  return { parameters, inputs: Float64Array.from(inputGradients) };
}

function rowsOf(inputs: Float64Array, input: number): Float64Array[] {
  return Array.from({ length: inputs.length / input }, (_, r) => inputs.subarray(r * input, (r + 1) * input));
}

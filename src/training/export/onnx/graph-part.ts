import { ELEMENTS, type OnnxConstant, type OnnxNode } from './onnx-messages.js';

/** From this version on the axes of an operator are an input, no attribute. */
const AXES_ARE_INPUT = { ReduceL2: 18, ReduceSum: 13, Unsqueeze: 13 } as const;
/** From this version on an axis may be counted from the end. */
const AXES_FROM_END = 11;
/** The least norm that vectors are divided by, as in `Tower`. */
const LEAST_NORM = 1e-12;

/** Nodes in the order in which they can be run, and the constants that they take. */
export interface Nodes {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
}

/** Operators of ONNX that are put behind a model, in the form that the model's version of them has. */
export class GraphPart {
  readonly #prefix: string;
  readonly #operatorSet: number;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants = new Map<string, OnnxConstant>();

  /** @param prefix - begins all names that are given; no name of the model begins so */
  constructor(prefix: string, operatorSet: number) {
    this.#prefix = prefix;
    this.#operatorSet = operatorSet;
  }

  /** @returns the name of what the operator gives */
  apply(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
  ): string {
    const name = `${this.#prefix}/${operator}_${this.#nodes.length}`;
    this.#nodes.push({ name, operator, inputs, output: name, attributes });
    return name;
  }

  /** @returns its name in the model */
  constant(name: string, { dims, data }: Omit<OnnxConstant, 'name'>): string {
    const full = `${this.#prefix}/${name}`;
    this.#constants.set(full, { name: full, dims, data });
    return full;
  }

  /** The value's numbers as float32. */
  toFloat32(value: string): string {
    return this.apply('Cast', [value], { to: ELEMENTS.float32 });
  }

  /**
   * x / max(|x|, 1e-12) along the last dimension.
   *
   * @param rank - dimensions of the value; undefined: not known
   */
  normalise(value: string, rank: number | undefined): string {
    const last = this.#operatorSet >= AXES_FROM_END || rank === undefined ? -1 : rank - 1;
    const norm = this.#alongAxis('ReduceL2', value, last, { keepdims: 1 });
    return this.apply('Div', [value, this.#atLeast(norm, 'least_norm', LEAST_NORM)]);
  }

  /** The first vector of each list: [N, T, D] to [N, D]. */
  firstVectors(value: string): string {
    const first = this.constant('first', { dims: [], data: BigInt64Array.of(0n) });
    return this.apply('Gather', [value, first], { axis: 1 });
  }

  /**
   * The mean of the vectors of each list that count: [N, T, D] to [N, D]; zeros where none does.
   *
   * @param mask - [N, T] of any numbers: 1 for vectors that count, 0 for others
   */
  meanVectors(value: string, mask: string): string {
    const weights = this.toFloat32(mask);
    const weighted = this.apply('Mul', [value, this.#alongAxis('Unsqueeze', weights, 2)]);
    const sums = this.#alongAxis('ReduceSum', weighted, 1, { keepdims: 0 });
    const counts = this.#alongAxis('ReduceSum', weights, 1, { keepdims: 1 });
    return this.apply('Div', [sums, this.#atLeast(counts, 'least_count', 1)]);
  }

  /** All of it, under the condition that `value` is called `name`. */
  giving(value: string, name: string): Nodes {
    const nodes = this.#nodes.map((node) => (node.output === value ? { ...node, output: name } : node));
    return { nodes, constants: [...this.#constants.values()] };
  }

  #atLeast(value: string, name: string, least: number): string {
    return this.apply('Max', [value, this.constant(name, { dims: [], data: Float32Array.of(least) })]);
  }

  #alongAxis(
    operator: keyof typeof AXES_ARE_INPUT,
    value: string,
    axis: number,
    attributes: Readonly<Record<string, number>> = {},
  ): string {
    if (this.#operatorSet < AXES_ARE_INPUT[operator]) {
      return this.apply(operator, [value], { axes: [axis], ...attributes });
    }
    const axes = this.constant(`axis_${axis}`, { dims: [1], data: BigInt64Array.of(BigInt(axis)) });
    return this.apply(operator, [value, axes], attributes);
  }
}

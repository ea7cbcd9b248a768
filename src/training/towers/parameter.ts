import { GranuleError } from '../../errors.js';

/** A trainable tensor: its numbers, row-major, and the gradient that backward passes add to. */
export interface Parameter {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** As long as `values`; zeros at first. */
  readonly gradient: Float32Array;
}

/**
 * A parameter of zeros.
 *
 * @param shape - positive sizes
 * @throws GranuleError `OUT_OF_MEMORY`
 */
export function zeroParameter(shape: readonly number[]): Parameter {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: numbers(size), gradient: numbers(size) };
}

/**
 * Parameters of several owners in one map: `query` with a `weight` gives `query.weight`.
 *
 * @param owners - what has parameters, such as towers, by name
 */
export function namedParameters(
  owners: Readonly<Record<string, { readonly parameters: ReadonlyMap<string, Parameter> }>>,
): Map<string, Parameter> {
  const out = new Map<string, Parameter>();
  for (const [owner, { parameters }] of Object.entries(owners)) {
    for (const [name, parameter] of parameters) out.set(`${owner}.${name}`, parameter);
  }
  return out;
}

/**
 * `length` zeros.
 *
 * @throws GranuleError `OUT_OF_MEMORY`
 */
export function numbers(length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (error) {
    throw outOfMemory(length, error);
  }
}

/** What is thrown where an array of `length` numbers could not be made. */
export function outOfMemory(length: number, cause: unknown): GranuleError {
  return new GranuleError('OUT_OF_MEMORY', `there is no memory for ${length} numbers`, { length }, { cause });
}

/**
 * The messages of ONNX that are written, with the numbers of their fields (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * @module
 */
import { bytesField, joined, numberField } from './wire-format.js';

/** Numbers of the fields of ONNX's messages that are read or written. */
export const FIELDS = {
  model: { irVersion: 1, graph: 7, operatorSets: 8 },
  operatorSet: { domain: 1, version: 2 },
  graph: { nodes: 1, constants: 5, inputs: 11, outputs: 12, values: 13 },
  node: { inputs: 1, outputs: 2, name: 3, operator: 4, attributes: 5 },
  attribute: { name: 1, integer: 3, tensor: 5, graph: 6, integers: 8, tensors: 10, graphs: 11, type: 20 },
  tensor: { dims: 1, type: 2, name: 8, bytes: 9, external: 13 },
  entry: { key: 1, value: 2 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { element: 1, shape: 2 },
  shape: { dims: 1 },
  dim: { value: 1 },
} as const;

/** Types of a tensor's numbers. */
export const ELEMENTS = { float32: 1, int64: 7, float16: 10, float64: 11, bfloat16: 16 } as const;

const INTEGER = 2;
const INTEGERS = 7;

/** An operator applied to values, by name. */
export interface OnnxNode {
  /** Its own, which no other node has. */
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers from 0 and lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A tensor of constants, row-major. */
export interface OnnxConstant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** The message of a node. */
export function nodeMessage({ name, operator, inputs, output, attributes = {} }: OnnxNode): Uint8Array {
  const { node } = FIELDS;
  return joined(
    ...inputs.map((input) => bytesField(node.inputs, input)),
    bytesField(node.outputs, output),
    bytesField(node.name, name),
    bytesField(node.operator, operator),
    ...Object.entries(attributes).map(([key, value]) =>
      bytesField(node.attributes, attributeMessage(key, value)),
    ),
  );
}

/** The message of a tensor of constants. */
export function constantMessage({ name, dims, data }: OnnxConstant): Uint8Array {
  const { tensor } = FIELDS;
  return joined(
    ...dims.map((dim) => numberField(tensor.dims, dim)),
    numberField(tensor.type, elementOf(data)),
    bytesField(tensor.name, name),
    bytesField(tensor.bytes, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

/**
 * The message that says what a value is.
 *
 * @param dims - messages of dimensions; undefined where even their number is not known
 */
export function valueMessage(
  name: string,
  element: number,
  dims: readonly Uint8Array[] | undefined,
): Uint8Array {
  const { value, type, tensorType, shape } = FIELDS;
  const shapes = dims?.map((dim) => bytesField(shape.dims, dim));
  const tensor = joined(
    numberField(tensorType.element, element),
    ...(shapes === undefined ? [] : [bytesField(tensorType.shape, joined(...shapes))]),
  );
  return joined(bytesField(value.name, name), bytesField(value.type, bytesField(type.tensor, tensor)));
}

/** The message of a dimension of a fixed size. */
export function dimMessage(size: number): Uint8Array {
  return numberField(FIELDS.dim.value, size);
}

/** The type of a constant's numbers. */
export function elementOf(data: Float32Array | BigInt64Array): number {
  return data instanceof Float32Array ? ELEMENTS.float32 : ELEMENTS.int64;
}

function attributeMessage(name: string, value: number | readonly number[]): Uint8Array {
  const { attribute } = FIELDS;
  const content =
    typeof value === 'number'
      ? [numberField(attribute.integer, value), numberField(attribute.type, INTEGER)]
      : [
          ...value.map((item) => numberField(attribute.integers, item)),
          numberField(attribute.type, INTEGERS),
        ];
  return joined(bytesField(attribute.name, name), ...content);
}

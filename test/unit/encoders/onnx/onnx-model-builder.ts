/**
 * Writes small ONNX files: the protobuf messages ModelProto, GraphProto, NodeProto, TensorProto and ValueInfoProto of
 * the ONNX specification, with the few fields that a test model needs.
 */
const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

export interface ModelValue {
  readonly name: string;
  readonly type: ElementType;
  /** A number is a fixed dimension, a string a free one; absent: not even how many there are is said. */
  readonly shape?: readonly (number | string)[];
}

export interface ModelNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers, lists of them, and graphs. */
  readonly attributes?: Readonly<Record<string, number | readonly number[] | ModelDescription>>;
}

export interface ModelConstant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
  /** Where the numbers lie instead: the name of a file beside the model. */
  readonly externalFile?: string;
}

export interface ModelDescription {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly nodes: readonly ModelNode[];
  readonly constants?: readonly ModelConstant[];
}

/** Versions of the file's format and of the operators. */
export interface ModelVersions {
  readonly irVersion?: number;
  readonly operatorSet?: number;
}

/** The bytes of an `.onnx` file; by default of IR version 8 and operator set 13. */
export function buildOnnxModel(
  description: ModelDescription,
  { irVersion = 8, operatorSet = 13 }: ModelVersions = {},
): Uint8Array {
  const operators = message(field(1, text('')), number(2, operatorSet));
  return message(number(1, irVersion), field(7, graphProto(description)), field(8, operators));
}

function graphProto({ inputs, outputs, nodes, constants = [] }: ModelDescription): Uint8Array {
  return message(
    ...nodes.map((node) => field(1, nodeProto(node))),
    field(2, text('test')),
    ...constants.map((constant) => field(5, tensorProto(constant))),
    ...inputs.map((value) => field(11, valueProto(value))),
    ...outputs.map((value) => field(12, valueProto(value))),
  );
}

function nodeProto({ op, inputs, outputs, attributes = {} }: ModelNode): Uint8Array {
  return message(
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) =>
      field(5, message(field(1, text(name)), ...attributeFields(value))),
    ),
  );
}

function attributeFields(value: number | readonly number[] | ModelDescription): Uint8Array[] {
  if (typeof value === 'number') return [number(3, value), number(20, 2)];
  if ('nodes' in value) return [field(6, graphProto(value)), number(20, 5)];
  return [...value.map((item) => number(8, item)), number(20, 7)];
}

function tensorProto({ name, dims, data, externalFile }: ModelConstant): Uint8Array {
  const type = data instanceof Float32Array ? ELEMENT_TYPES.float32 : ELEMENT_TYPES.int64;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message(
    ...dims.map((dim) => number(1, dim)),
    number(2, type),
    field(8, text(name)),
    ...(externalFile === undefined
      ? [field(9, bytes)]
      : [field(13, message(field(1, text('location')), field(2, text(externalFile)))), number(14, 1)]),
  );
}

function valueProto({ name, type, shape }: ModelValue): Uint8Array {
  const dims = shape?.map((dim) => field(1, typeof dim === 'number' ? number(1, dim) : field(2, text(dim))));
  const shapes = dims === undefined ? [] : [field(2, message(...dims))];
  const tensorType = message(number(1, ELEMENT_TYPES[type]), ...shapes);
  return message(field(1, text(name)), field(2, message(field(1, tensorType))));
}

/** A field of wire type 0: a non-negative or negative 64-bit number as a varint. */
function number(id: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(BigInt(id) << 3n), ...varint(BigInt.asUintN(64, BigInt(value)))]);
}

/** A field of wire type 2: length and bytes. */
function field(id: number, bytes: Uint8Array): Uint8Array {
  return message(
    Uint8Array.from([...varint((BigInt(id) << 3n) | 2n), ...varint(BigInt(bytes.length))]),
    bytes,
  );
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

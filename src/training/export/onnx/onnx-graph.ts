import type { EventLoopTurns } from '../../../approximate/event-loop-turns.js';
import { GranuleError } from '../../../errors.js';
import { FIELDS } from './onnx-messages.js';
import { type Field, fieldsOf, textOf } from './wire-format.js';

/** A value that a graph gives out. */
export interface GraphOutput {
  readonly name: string;
  /** Type of its numbers; 0 where it is not said. */
  readonly element: number;
  /** Messages of its dimensions; undefined where even their number is not said. */
  readonly dims: readonly Uint8Array[] | undefined;
  /** Its last dimension; undefined where it is free or not said. */
  readonly columns: number | undefined;
}

/** A model, divided where something is put in; views of its bytes. */
export interface OnnxGraph {
  readonly irVersion: number;
  /** Of the operators of ONNX itself. */
  readonly operatorSet: number;
  /** Fields of the model before its graph, and after it. */
  readonly before: readonly Uint8Array[];
  readonly after: readonly Uint8Array[];
  /** Fields of the graph in their order. */
  readonly fields: readonly Field[];
  readonly outputs: readonly GraphOutput[];
  /** Files in which constants lie, as the model names them, relative to itself. */
  readonly externalFiles: readonly string[];
}

/** @throws GranuleError `MODEL_INVALID`, without the file's name; `ABORTED` */
export async function readOnnxGraph(model: Uint8Array, turns: EventLoopTurns): Promise<OnnxGraph> {
  const ids = FIELDS.model;
  const all = [...fieldsOf(model)];
  const graphs = all.filter(({ id }) => id === ids.graph);
  const place = all.indexOf(graphs[0]!);
  if (graphs.length !== 1) {
    throw new GranuleError('MODEL_INVALID', `is no ONNX model: it holds ${graphs.length} graphs, not one`);
  }
  const operatorSet = all
    .filter(({ id }) => id === ids.operatorSets)
    .map(({ bytes }) => [...fieldsOf(bytes)])
    .filter((fields) => ['', 'ai.onnx'].includes(textIn(fields, FIELDS.operatorSet.domain)))
    .map((fields) => numberIn(fields, FIELDS.operatorSet.version))[0];
  if (operatorSet === undefined) {
    throw new GranuleError('MODEL_INVALID', 'does not say which version of the operators of ONNX it uses');
  }
  const fields: Field[] = [];
  const externalFiles = new Set<string>();
  for (const field of fieldsOf(graphs[0]!.bytes)) {
    if (turns.over) await turns.pass();
    fields.push(field);
    for (const tensor of tensorsOf(field)) {
      const file = externalFileOf(tensor);
      if (file !== undefined) externalFiles.add(file);
    }
  }
  return {
    irVersion: numberIn(all, ids.irVersion),
    operatorSet,
    before: all.slice(0, place).map(({ whole }) => whole),
    after: all.slice(place + 1).map(({ whole }) => whole),
    fields,
    outputs: fields.filter(({ id }) => id === FIELDS.graph.outputs).map(({ bytes }) => outputOf(bytes)),
    externalFiles: [...externalFiles],
  };
}

/** The name of a value, a constant, or the key or value of an entry. */
export function textIn(fields: Iterable<Field>, id: number): string {
  let text = '';
  for (const field of fields) if (field.id === id) text = textOf(field.bytes);
  return text;
}

function numberIn(fields: Iterable<Field>, id: number): number {
  let number = 0;
  for (const field of fields) if (field.id === id) number = field.value;
  return number;
}

function outputOf(message: Uint8Array): GraphOutput {
  const { value, type, tensorType, shape, dim } = FIELDS;
  const name = textIn(fieldsOf(message), value.name);
  const tensor = within(within([message], value.type), type.tensor);
  const element = tensor.map((part) => numberIn(fieldsOf(part), tensorType.element)).at(-1) ?? 0;
  const shapes = within(tensor, tensorType.shape);
  if (shapes.length === 0) return { name, element, dims: undefined, columns: undefined };
  const dims = within(shapes, shape.dims);
  const last = dims.at(-1);
  const columns = last === undefined ? 0 : numberIn(fieldsOf(last), dim.value);
  // Some write a free dimension as -1, which is a very large number without its sign.
  const isSaid = columns > 0 && columns <= Number.MAX_SAFE_INTEGER;
  return { name, element, dims, columns: isSaid ? columns : undefined };
}

/** The fields `id` of all of `messages`. */
function within(messages: readonly Uint8Array[], id: number): Uint8Array[] {
  return messages.flatMap((message) =>
    [...fieldsOf(message)].filter((field) => field.id === id).map(({ bytes }) => bytes),
  );
}

/** The tensors of a graph's field: a constant, or those of a node's attributes and of the graphs in them. */
function* tensorsOf(field: Field): Generator<Uint8Array> {
  const { graph, node, attribute } = FIELDS;
  if (field.id === graph.constants) yield field.bytes;
  if (field.id !== graph.nodes) return;
  for (const part of fieldsOf(field.bytes)) {
    if (part.id !== node.attributes) continue;
    for (const { id, bytes } of fieldsOf(part.bytes)) {
      if (id === attribute.tensor || id === attribute.tensors) yield bytes;
      if (id !== attribute.graph && id !== attribute.graphs) continue;
      for (const inner of fieldsOf(bytes)) yield* tensorsOf(inner);
    }
  }
}

function externalFileOf(tensor: Uint8Array): string | undefined {
  for (const { id, bytes } of fieldsOf(tensor)) {
    if (id !== FIELDS.tensor.external) continue;
    const entry = [...fieldsOf(bytes)];
    if (textIn(entry, FIELDS.entry.key) === 'location') return textIn(entry, FIELDS.entry.value);
  }
  return undefined;
}

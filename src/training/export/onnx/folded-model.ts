import type { EventLoopTurns } from '../../../approximate/event-loop-turns.js';
import { GranuleError } from '../../../errors.js';
import type { Tower } from '../../towers/tower.js';
import { GraphPart, type Nodes } from './graph-part.js';
import { type GraphOutput, type OnnxGraph, textIn } from './onnx-graph.js';
import {
  constantMessage,
  dimMessage,
  ELEMENTS,
  elementOf,
  FIELDS,
  nodeMessage,
  valueMessage,
} from './onnx-messages.js';
import { renameInNode } from './rename-value.js';
import { addTower } from './tower-nodes.js';
import { bytesField, type Field, fieldHead, fieldsOf, inFewerParts } from './wire-format.js';

/** Before this version of the format every constant is also an input of the graph. */
const CONSTANTS_ALONE = 4;
/** The input that says which tokens are a text's own, as `OnnxTextEncoder` feeds it. */
const MASK = 'attention_mask';

/** How one vector comes from token vectors, as `OnnxTextEncoder` knows it. */
export type FoldedPooling = 'mean' | 'cls';

/** Where a tower goes. */
export interface FoldPlace {
  readonly output: GraphOutput;
  /** What the mapped output is called. */
  readonly name: string;
  /** Undefined: vectors are mapped as they are, and take the place of the output. */
  readonly pooling: FoldedPooling | undefined;
  readonly normaliseInput: boolean;
}

/**
 * A model with a tower behind one of its outputs, in parts.
 *
 * @throws GranuleError `MODEL_INVALID`, without the file's name; `INVALID_ARGUMENT`, `ABORTED`
 */
export async function foldedModel(
  graph: OnnxGraph,
  tower: Tower,
  place: FoldPlace,
  turns: EventLoopTurns,
): Promise<Uint8Array[]> {
  const { output, name, pooling } = place;
  const prefix = await freePrefix(graph.fields, turns);
  const keepsName = pooling === undefined && name === output.name;
  checkNames(graph.fields, place, keepsName);
  const from = keepsName ? `${prefix}/input` : output.name;
  const nodes = await nodesOf(new GraphPart(prefix, graph.operatorSet), tower, from, place, turns);
  const ids = FIELDS.graph;
  const kept = pooling === undefined ? output.dims?.slice(0, -1) : output.dims?.slice(0, 1);
  const dims = kept && [...kept, dimMessage(tower.output)];
  const mapped = bytesField(ids.outputs, valueMessage(name, ELEMENTS.float32, dims));
  const parts: Uint8Array[] = [];
  for (const field of graph.fields) {
    if (turns.over) await turns.pass();
    if (field.id === ids.nodes && keepsName) {
      parts.push(renamedNode(field, name, from));
    } else if (field.id === ids.outputs && pooling === undefined && valueName(field) === output.name) {
      parts.push(mapped);
    } else if (!(field.id === ids.values && keepsName && valueName(field) === name)) {
      // What is said of the value that had the name before is true of the unmapped one only.
      parts.push(field.whole);
    }
  }
  if (pooling !== undefined) parts.push(mapped);
  parts.push(...fieldsFor(nodes, graph.irVersion));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return inFewerParts([...graph.before, fieldHead(FIELDS.model.graph, length), ...parts, ...graph.after]);
}

async function nodesOf(
  part: GraphPart,
  tower: Tower,
  from: string,
  { output, name, pooling, normaliseInput }: FoldPlace,
  turns: EventLoopTurns,
): Promise<Nodes> {
  let vectors = output.element === ELEMENTS.float32 ? from : part.toFloat32(from);
  if (pooling === 'cls') vectors = part.firstVectors(vectors);
  if (pooling === 'mean') vectors = part.meanVectors(vectors, MASK);
  const rank = pooling === undefined ? output.dims?.length : 2;
  if (normaliseInput) vectors = part.normalise(vectors, rank);
  return part.giving(await addTower(part, tower, vectors, rank, turns), name);
}

/** The fields of a graph that add nodes and their constants to it. */
function fieldsFor({ nodes, constants }: Nodes, irVersion: number): Uint8Array[] {
  const ids = FIELDS.graph;
  const parts = nodes.map((node) => bytesField(ids.nodes, nodeMessage(node)));
  for (const constant of constants) {
    const message = constantMessage(constant);
    parts.push(fieldHead(ids.constants, message.length), message);
    if (irVersion >= CONSTANTS_ALONE) continue;
    const { name, dims, data } = constant;
    parts.push(bytesField(ids.inputs, valueMessage(name, elementOf(data), dims.map(dimMessage))));
  }
  return parts;
}

/** Makes sure that the name of the mapped output is free, or can be made so, and that there is what the pooling takes. */
function checkNames(fields: readonly Field[], { name, pooling }: FoldPlace, keepsName: boolean): void {
  const giving = fields.filter((field) => givenBy(field).includes(name));
  if (keepsName && !giving.some(({ id }) => id === FIELDS.graph.nodes)) {
    throw new GranuleError(
      'MODEL_INVALID',
      `gives its input or a constant as output '${name}', which has to keep its name: name the mapped output otherwise`,
      { output: name },
    );
  }
  if (!keepsName && giving.length > 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `the model has a value '${name}' already; name the mapped output otherwise`,
      { name },
    );
  }
  if (
    pooling === 'mean' &&
    !fields.some((field) => field.id === FIELDS.graph.inputs && valueName(field) === MASK)
  ) {
    throw new GranuleError(
      'MODEL_INVALID',
      `has no input '${MASK}', which says over which tokens the mean is taken`,
    );
  }
}

function renamedNode({ id, bytes, whole }: Field, from: string, to: string): Uint8Array {
  const renamed = renameInNode(bytes, from, to);
  return renamed === bytes ? whole : bytesField(id, renamed);
}

/** What an input, an output or another value of a graph is called. */
function valueName({ bytes }: Field): string {
  return textIn(fieldsOf(bytes), FIELDS.value.name);
}

/** Names of the values that a field of a graph gives: a node's outputs, a constant, an input. */
function givenBy(field: Field): string[] {
  const { id, bytes } = field;
  const { graph, node, tensor } = FIELDS;
  if (id === graph.inputs) return [valueName(field)];
  if (id === graph.constants) return [textIn(fieldsOf(bytes), tensor.name)];
  if (id !== graph.nodes) return [];
  return Array.from(fieldsOf(bytes))
    .filter((part) => part.id === node.outputs)
    .map((part) => textIn([part], node.outputs));
}

/** A text with which no name in a graph begins. */
async function freePrefix(fields: readonly Field[], turns: EventLoopTurns): Promise<string> {
  for (let number = 1; ; number++) {
    const prefix = number === 1 ? 'granule_tower' : `granule_tower_${number}`;
    let isFree = true;
    for (const { id, bytes } of fields) {
      if (turns.over) await turns.pass();
      if (id === FIELDS.graph.constants) {
        isFree &&= !textIn(fieldsOf(bytes), FIELDS.tensor.name).startsWith(`${prefix}/`);
      } else {
        isFree &&= !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(`${prefix}/`);
      }
    }
    if (isFree) return prefix;
  }
}

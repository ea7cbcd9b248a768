import { FIELDS } from './onnx-messages.js';
import { bytesField, type Field, fieldsOf } from './wire-format.js';

/**
 * A node in which a value has another name, wherever it is taken or given, also in the graphs of its branches and loops.
 *
 * @param node - the message of a node
 * @returns `node` itself where it does not name the value
 */
export function renameInNode(node: Uint8Array, from: string, to: string): Uint8Array {
  if (!Buffer.from(node.buffer, node.byteOffset, node.length).includes(from)) return node;
  const { inputs, outputs, attributes } = FIELDS.node;
  const name = new TextEncoder().encode(from);
  return mapFields(node, ({ id, bytes, whole }) => {
    if ((id === inputs || id === outputs) && Buffer.compare(bytes, name) === 0) return bytesField(id, to);
    return id === attributes ? bytesField(id, renameInAttribute(bytes, from, to)) : whole;
  });
}

function renameInAttribute(attribute: Uint8Array, from: string, to: string): Uint8Array {
  const { graph, graphs } = FIELDS.attribute;
  return mapFields(attribute, ({ id, bytes, whole }) =>
    id === graph || id === graphs
      ? bytesField(
          id,
          mapFields(bytes, (field) =>
            field.id === FIELDS.graph.nodes
              ? bytesField(field.id, renameInNode(field.bytes, from, to))
              : field.whole,
          ),
        )
      : whole,
  );
}

function mapFields(message: Uint8Array, map: (field: Field) => Uint8Array): Uint8Array {
  // As a list: a message may have more fields than a call takes arguments.
  return Buffer.concat(Array.from(fieldsOf(message), map));
}

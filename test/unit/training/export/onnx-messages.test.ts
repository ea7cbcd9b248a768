import { expect, it } from 'vitest';
import { EventLoopTurns } from '../../../../src/approximate/event-loop-turns.js';
import { readOnnxGraph } from '../../../../src/training/export/onnx/onnx-graph.js';
import { FIELDS, nodeMessage } from '../../../../src/training/export/onnx/onnx-messages.js';
import { renameInNode } from '../../../../src/training/export/onnx/rename-value.js';
import {
  bytesField,
  fieldsOf,
  numberField,
  textOf,
} from '../../../../src/training/export/onnx/wire-format.js';
import { buildOnnxModel } from '../../encoders/onnx/onnx-model-builder.js';

it('a last dimension of -1 is a free one', async () => {
  const columnsOf = async (last: number) => {
    const value = (name: string) => ({ name, type: 'float32', shape: ['N', last] }) as const;
    const nodes = [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }];
    const model = buildOnnxModel({ inputs: [value('x')], outputs: [value('y')], nodes, constants: [] });
    return (await readOnnxGraph(model, new EventLoopTurns(undefined))).outputs.map(({ columns }) => columns);
  };
  expect(await columnsOf(-1)).toEqual([undefined]);
  expect(await columnsOf(0)).toEqual([undefined]);
  expect(await columnsOf(7)).toEqual([7]);
});

it('a node whose attribute has hundreds of thousands of numbers is renamed, and keeps them', () => {
  const { node, attribute } = FIELDS;
  const numbers = Buffer.concat(
    Array.from({ length: 300_000 }, (_, i) => numberField(attribute.integers, i)),
  );
  const plain = nodeMessage({ name: 'n', operator: 'TfIdfVectorizer', inputs: ['x'], output: 'y' });
  const renamed = renameInNode(Buffer.concat([plain, bytesField(node.attributes, numbers)]), 'y', 'z');
  const fields = [...fieldsOf(renamed)];
  expect(fields.filter(({ id }) => id === node.outputs).map(({ bytes }) => textOf(bytes))).toEqual(['z']);
  expect(Buffer.compare(fields.find(({ id }) => id === node.attributes)!.bytes, numbers)).toBe(0);
});

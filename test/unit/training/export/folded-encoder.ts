import { writeFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Tower } from '../../../../src/training/towers/tower.js';
import { matrix } from '../../../../src/vectors/matrix.js';
import {
  buildOnnxModel,
  type ModelDescription,
  type ModelVersions,
} from '../../encoders/onnx/onnx-model-builder.js';
import { randomNumbers } from './random-tower.js';

/** What a run of a model gave, by output. */
export type Outputs = Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>;

/** Numbers that the encoder below takes per item or token. */
export const TAKEN = 4;
/** Numbers per vector of its outputs. */
export const GIVEN = 6;

const free = (...shape: (number | string)[]) => ({ type: 'float32', shape }) as const;

/**
 * A small encoder: `embedding` [N, 6] of `item` [N, 4], `tokens` [M, T, 6] of `words` [M, T, 4] with their `attention_mask`, and `positive`,
 * which is computed from the embedding. Vectors are far from unit length.
 */
export const ENCODER: ModelDescription = {
  inputs: [
    { name: 'item', ...free('N', TAKEN) },
    { name: 'words', ...free('M', 'T', TAKEN) },
    { name: 'attention_mask', type: 'int64', shape: ['M', 'T'] },
  ],
  outputs: [
    { name: 'positive', ...free('N', GIVEN) },
    { name: 'embedding', ...free('N', GIVEN) },
    { name: 'tokens', ...free('M', 'T', GIVEN) },
  ],
  nodes: [
    { op: 'MatMul', inputs: ['item', 'W'], outputs: ['embedding'] },
    { op: 'MatMul', inputs: ['words', 'W'], outputs: ['tokens'] },
    { op: 'Relu', inputs: ['embedding'], outputs: ['positive'] },
  ],
  constants: [{ name: 'W', dims: [TAKEN, GIVEN], data: randomNumbers(TAKEN * GIVEN, 'W', 5) }],
};

/** Words of each text below; the others are padding. */
export const LENGTHS = [5, 2];
const WORDS = 5;

/** Three items and two texts for that encoder. */
export const FEEDS = {
  item: tensor(randomNumbers(3 * TAKEN, 'item'), [3, TAKEN]),
  words: tensor(randomNumbers(LENGTHS.length * WORDS * TAKEN, 'words'), [LENGTHS.length, WORDS, TAKEN]),
  attention_mask: new Tensor(
    'int64',
    BigInt64Array.from(
      LENGTHS.flatMap((length) => Array.from({ length: WORDS }, (_, i) => BigInt(i < length))),
    ),
    [LENGTHS.length, WORDS],
  ),
};

export function tensor(data: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor('float32', data, dims);
}

export function writeModel(file: string, model: ModelDescription, versions?: ModelVersions): string {
  writeFileSync(file, buildOnnxModel(model, versions));
  return file;
}

/** Runs a model file as any program would; all outputs, in the model's order. */
export async function run(file: string, feeds: Record<string, Tensor>): Promise<Outputs> {
  const options = { intraOpNumThreads: 1, logSeverityLevel: 4 } as const;
  const session = await InferenceSession.create(file, options);
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(
      session.outputNames.map((name) => {
        const { dims, data } = outputs[name]!;
        return [name, { dims: [...dims], data: Float32Array.from(data as Float32Array) }];
      }),
    );
  } finally {
    await session.release();
  }
}

/** What an encoder's output becomes under a tower: each vector on its own. */
export async function mapped(
  { dims, data }: Outputs[string],
  tower: Tower,
  normaliseInput = true,
): Promise<Outputs[string]> {
  const inputs = normaliseInput ? unitRows(data, tower.input) : data;
  const vectors = await tower.encode(matrix(inputs, tower.input));
  return { dims: [...dims.slice(0, -1), tower.output], data: vectors.data };
}

function unitRows(data: Float32Array, columns: number): Float32Array {
  const out = Float32Array.from(data);
  for (let start = 0; start < out.length; start += columns) {
    const row = out.subarray(start, start + columns);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < columns; i++) row[i]! /= Math.max(norm, 1e-12);
  }
  return out;
}

/** The greatest difference of two outputs of the same dimensions; infinite where those differ. */
export function difference(found: Outputs[string] | undefined, expected: Outputs[string]): number {
  if (JSON.stringify(found?.dims) !== JSON.stringify(expected.dims)) return Number.POSITIVE_INFINITY;
  return expected.data.reduce((most, value, i) => Math.max(most, Math.abs(value - found!.data[i]!)), 0);
}

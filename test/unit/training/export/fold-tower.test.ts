import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { EventLoopTurns } from '../../../../src/approximate/event-loop-turns.js';
import { poolTokens } from '../../../../src/encoders/onnx/onnx-pooling.js';
import { foldTower } from '../../../../src/training/export/fold-tower.js';
import { readOnnxGraph } from '../../../../src/training/export/onnx/onnx-graph.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';
import { temporaryFolder } from '../../corpus/temporary-folder.js';
import { buildOnnxModel, type ModelDescription } from '../../encoders/onnx/onnx-model-builder.js';
import {
  difference,
  ENCODER,
  FEEDS,
  GIVEN,
  LENGTHS,
  mapped,
  type Outputs,
  run,
  TAKEN,
  tensor,
  writeModel,
} from './folded-encoder.js';
import { randomNumbers, randomTower } from './random-tower.js';

const SHAPES: readonly TowerShape[] = [
  { kind: 'linear', input: GIVEN, output: 3 },
  { kind: 'linear', input: GIVEN, output: GIVEN, bias: false, normalise: false },
  { kind: 'low-rank', dimension: GIVEN, rank: 2, scale: 0.5 },
  { kind: 'low-rank', dimension: GIVEN, rank: 3, normalise: false },
  { kind: 'mlp', input: GIVEN, hidden: 9, output: 4 },
  { kind: 'mlp', input: GIVEN, hidden: 5, output: GIVEN, residual: true, bias: false },
];
const MLP = SHAPES[4]!;
/** Versions of the operators: the oldest, those at which one that is used changed with the one before, the newest that the runtime knows. */
const OPERATOR_SETS = [8, 9, 10, 11, 12, 13, 17, 18, 23];

/** One vector per text of `LENGTHS`, by the encoder's own pooling. */
function pooled({ dims, data }: Outputs[string], pooling: 'mean' | 'cls'): Outputs[string] {
  const [texts, words, columns] = dims as [number, number, number];
  const vectors = LENGTHS.flatMap((length, i) => {
    const hidden = data.subarray(i * words * columns, (i + 1) * words * columns);
    return [...poolTokens(hidden, columns, length, pooling)];
  });
  return { dims: [texts, columns], data: Float32Array.from(vectors) };
}

describe('foldTower', () => {
  it.each(SHAPES.map((shape) => [JSON.stringify(shape), shape] as const))(
    'gives the vectors of encoder and tower %s, of items and of tokens',
    async (_, shape) => {
      const tower = await randomTower(shape);
      const folder = temporaryFolder();
      const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
      const plain = await run(model, FEEDS);
      const to = join(folder, 'folded.onnx');
      for (const output of ['embedding', 'tokens']) {
        for (const normaliseInput of [true, false]) {
          const report = await foldTower(model, tower, { to, output, normaliseInput });
          expect(report).toEqual({
            output,
            name: output,
            columns: tower.output,
            operatorSet: 13,
            bytes: readFileSync(to).length,
          });
          const folded = await run(to, FEEDS);
          const expected = await mapped(plain[output]!, tower, normaliseInput);
          const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expect(difference(folded[output], expected) / Math.max(1, largest)).toBeLessThan(1e-5);
          // All else is as it was, also what is computed from the output.
          expect(Object.keys(folded)).toEqual(Object.keys(plain));
          expect({ ...folded, [output]: 0 }).toEqual({ ...plain, [output]: 0 });
        }
      }
    },
  );

  it('uses the operators of the version that the model has', async () => {
    const tower = await randomTower(MLP);
    const folder = temporaryFolder();
    const to = join(folder, 'folded.onnx');
    for (const operatorSet of OPERATOR_SETS) {
      const irVersion = operatorSet < 9 ? 3 : 8;
      const constants = irVersion < 4 ? [{ name: 'W', type: 'float32', shape: [TAKEN, GIVEN] } as const] : [];
      const model = writeModel(
        join(folder, 'encoder.onnx'),
        { ...ENCODER, inputs: [...ENCODER.inputs, ...constants] },
        { operatorSet, irVersion },
      );
      const plain = await run(model, FEEDS);
      for (const output of ['embedding', 'tokens']) {
        expect((await foldTower(model, tower, { to, output })).operatorSet).toBe(operatorSet);
        // The runtime does not ask for it, the format does: before IR version 4 constants are inputs too.
        const { fields } = await readOnnxGraph(readFileSync(to), new EventLoopTurns(undefined));
        const count = (wanted: number) => fields.filter(({ id }) => id === wanted).length;
        expect(count(11) - (irVersion < 4 ? count(5) : 0)).toBe(ENCODER.inputs.length);
        const found = (await run(to, FEEDS))[output];
        const expected = await mapped(plain[output]!, tower);
        expect(difference(found, expected), `operators ${operatorSet}`).toBeLessThan(1e-5);
      }
      await foldTower(model, tower, { to, pooling: 'mean', output: 'tokens' });
      const found = (await run(to, FEEDS))['sentence_embedding'];
      const expected = await mapped(pooled(plain['tokens']!, 'mean'), tower);
      expect(difference(found, expected), `operators ${operatorSet}`).toBeLessThan(1e-5);
    }
    const old = writeModel(join(folder, 'encoder.onnx'), ENCODER, { operatorSet: 7, irVersion: 3 });
    await expect(foldTower(old, tower, { to, output: 'tokens' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('version 7 of the operators'),
    });
  });

  it('gives the mapped output another name on request, and then nothing of the model is changed', async () => {
    const tower = await randomTower(MLP);
    const folder = temporaryFolder();
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const to = join(folder, 'folded.onnx');
    await foldTower(model, tower, { to, output: 'embedding', name: 'adapted' });
    const [plain, folded] = [await run(model, FEEDS), await run(to, FEEDS)];
    expect(Object.keys(folded)).toEqual(['positive', 'adapted', 'tokens']);
    expect(difference(folded['adapted'], await mapped(plain['embedding']!, tower))).toBeLessThan(1e-5);
    for (const name of ['positive', 'W', 'item']) {
      await expect(foldTower(model, tower, { to, output: 'embedding', name })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`'${name}' already`),
      });
    }
  });

  it('makes one vector of token vectors first on request, as the text encoder does', async () => {
    const tower = await randomTower(MLP);
    const folder = temporaryFolder();
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const to = join(folder, 'folded.onnx');
    const plain = await run(model, FEEDS);
    for (const pooling of ['mean', 'cls'] as const) {
      // No other output holds token vectors.
      const report = await foldTower(model, tower, { to, pooling });
      expect(report).toMatchObject({ output: 'tokens', name: 'sentence_embedding', columns: tower.output });
      const { sentence_embedding: found, ...others } = await run(to, FEEDS);
      expect(others).toEqual(plain);
      expect(difference(found, await mapped(pooled(plain['tokens']!, pooling), tower))).toBeLessThan(1e-5);
    }
    await foldTower(model, tower, { to, pooling: 'mean', name: 'pooled' });
    const nothing = { ...FEEDS, attention_mask: new Tensor('int64', new BigInt64Array(10), [2, 5]) };
    const zeros = { dims: [2, GIVEN], data: new Float32Array(2 * GIVEN) };
    expect(difference((await run(to, nothing))['pooled'], await mapped(zeros, tower))).toBeLessThan(1e-5);
    await expect(foldTower(model, tower, { to, pooling: 'mean', output: 'embedding' })).rejects.toMatchObject(
      {
        code: 'MODEL_INVALID',
        message: expect.stringContaining('token vectors to pool have 3'),
      },
    );
    const inputs = ENCODER.inputs.filter(({ name }) => name !== 'attention_mask');
    writeModel(model, { ...ENCODER, inputs });
    await expect(foldTower(model, tower, { to, pooling: 'mean' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining("no input 'attention_mask'"),
    });
  });

  it('can be done twice', async () => {
    const first = await randomTower({ kind: 'linear', input: GIVEN, output: 5 }, 'first');
    const second = await randomTower({ kind: 'mlp', input: 5, hidden: 7, output: 3 }, 'second');
    const folder = temporaryFolder();
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const [once, twice] = [join(folder, 'once.onnx'), join(folder, 'twice.onnx')];
    await foldTower(model, first, { to: once, output: 'embedding' });
    // The tower of 5 numbers fits that output only.
    expect(await foldTower(once, second, { to: twice })).toMatchObject({ output: 'embedding' });
    const expected = await mapped(await mapped((await run(model, FEEDS))['embedding']!, first), second);
    expect(difference((await run(twice, FEEDS))['embedding'], expected)).toBeLessThan(1e-5);
  });

  it('leaves branches of the model with the vectors that they had', async () => {
    const branch = (op: string): ModelDescription => ({
      inputs: [],
      outputs: [{ name: `${op}_out`, type: 'float32', shape: ['N', GIVEN] }],
      nodes: [{ op, inputs: ['embedding'], outputs: [`${op}_out`] }],
    });
    const model = writeModel(join(temporaryFolder(), 'encoder.onnx'), {
      ...ENCODER,
      inputs: [...ENCODER.inputs, { name: 'flag', type: 'bool', shape: [1] }],
      outputs: [...ENCODER.outputs, { name: 'either', type: 'float32', shape: ['N', GIVEN] }],
      nodes: [
        ...ENCODER.nodes,
        {
          op: 'If',
          inputs: ['flag'],
          outputs: ['either'],
          attributes: { then_branch: branch('Identity'), else_branch: branch('Neg') },
        },
      ],
    });
    const tower = await randomTower(MLP);
    const to = join(temporaryFolder(), 'folded.onnx');
    await foldTower(model, tower, { to, output: 'embedding' });
    for (const flag of [true, false]) {
      const feeds = { ...FEEDS, flag: new Tensor('bool', [flag], [1]) };
      const [plain, folded] = [await run(model, feeds), await run(to, feeds)];
      expect(folded['either']).toEqual(plain['either']);
      expect(difference(folded['embedding'], await mapped(plain['embedding']!, tower))).toBeLessThan(1e-5);
    }
  });

  it('casts outputs of other floating-point numbers to float32', async () => {
    const tower = await randomTower(MLP);
    for (const [type, code] of [
      ['float16', 10],
      ['float64', 11],
    ] as const) {
      const [, embedding, tokens] = ENCODER.outputs;
      const model = writeModel(join(temporaryFolder(), 'encoder.onnx'), {
        ...ENCODER,
        outputs: [{ ...embedding!, name: 'narrow', type }, embedding!, tokens!],
        nodes: [
          ...ENCODER.nodes,
          { op: 'Cast', inputs: ['embedding'], outputs: ['narrow'], attributes: { to: code } },
        ],
      });
      const to = join(temporaryFolder(), 'folded.onnx');
      await foldTower(model, tower, { to, output: 'narrow' });
      const folded = await run(to, FEEDS);
      // float16 has eleven bits.
      const tolerance = type === 'float16' ? 5e-3 : 1e-5;
      expect(difference(folded['narrow'], await mapped(folded['embedding']!, tower))).toBeLessThan(tolerance);
    }
  });

  it('finds the output that the tower fits, and lists them where several or none do', async () => {
    const folder = temporaryFolder();
    const [positive, embedding, tokens] = ENCODER.outputs;
    const to = join(folder, 'folded.onnx');
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const tower = await randomTower(MLP);
    const listed = 'its outputs: positive float32[?,6], embedding float32[?,6], tokens float32[?,?,6]';
    const refusals: [Parameters<typeof foldTower>, string][] = [
      [[model, tower, { to }], `several outputs of vectors of 6 numbers`],
      [
        [model, await randomTower({ kind: 'linear', input: 7, output: 2 }), { to }],
        'no output of vectors of 7',
      ],
      [[model, tower, { to, output: 'pooled' }], `no output 'pooled'`],
      [
        [model, await randomTower({ kind: 'linear', input: 7, output: 2 }), { to, output: 'tokens' }],
        `gives vectors of 6 numbers, and the tower maps vectors of 7`,
      ],
    ];
    for (const [args, message] of refusals) {
      const error = await foldTower(...args).catch((reason: Error) => reason);
      expect(error).toMatchObject({ code: 'MODEL_INVALID', details: { file: model } });
      expect((error as Error).message).toContain(message);
      expect((error as Error).message).toContain(listed);
    }
    const { shape: _, ...shapeless } = embedding!;
    const only = { ...ENCODER, outputs: [{ ...positive!, type: 'int64' as const }, shapeless] };
    const file = writeModel(join(folder, 'only.onnx'), only);
    expect(await foldTower(file, tower, { to })).toMatchObject({ output: 'embedding' });
    writeModel(file, only, { operatorSet: 10 });
    await expect(foldTower(file, tower, { to, output: 'embedding' })).rejects.toMatchObject({
      message: expect.stringContaining('does not say how many dimensions'),
    });
    writeModel(file, { ...ENCODER, outputs: [tokens!, { name: 'item', type: 'float32', shape: ['N', 4] }] });
    const four = await randomTower({ kind: 'linear', input: TAKEN, output: 2 });
    await expect(foldTower(file, four, { to })).rejects.toMatchObject({
      message: expect.stringContaining('gives its input or a constant'),
    });
  });

  it('takes models with weights in other files, into their own folder only', async () => {
    const folder = temporaryFolder();
    const { data } = ENCODER.constants![0]!;
    writeFileSync(join(folder, 'weights.bin'), new Uint8Array(data.buffer));
    const model = writeModel(join(folder, 'encoder.onnx'), {
      ...ENCODER,
      constants: [{ ...ENCODER.constants![0]!, externalFile: 'weights.bin' }],
    });
    const tower = await randomTower(MLP);
    await expect(
      foldTower(model, tower, { to: join(temporaryFolder(), 'folded.onnx'), output: 'tokens' }),
    ).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('has weights in weights.bin'),
      details: { externalFiles: ['weights.bin'] },
    });
    const to = join(folder, 'folded.onnx');
    await foldTower(model, tower, { to, output: 'tokens' });
    const expected = await mapped((await run(model, FEEDS))['tokens']!, tower);
    expect(difference((await run(to, FEEDS))['tokens'], expected)).toBeLessThan(1e-5);
  });

  it('refuses files that are no models, or were cut or changed, with a code', async () => {
    const folder = temporaryFolder();
    const model = join(folder, 'encoder.onnx');
    const to = join(folder, 'folded.onnx');
    const tower = await randomTower(MLP);
    const bytes = Buffer.from(buildOnnxModel(ENCODER));
    const codes = new Set<string>();
    const attempt = async (content: Uint8Array) => {
      writeFileSync(model, content);
      const outcome = await foldTower(model, tower, { to, output: 'tokens' }).then(
        () => 'folded',
        (error: { code?: string; message: string }) => error.code ?? error.message,
      );
      codes.add(outcome);
      return outcome;
    };
    for (const text of ['', 'version https://git-lfs.github.com/spec/v1\n', '<html>']) {
      expect(await attempt(Buffer.from(text))).toBe('MODEL_INVALID');
    }
    for (let length = 0; length < bytes.length; length += 11) {
      expect(await attempt(bytes.subarray(0, length)), `${length} bytes`).toBe('MODEL_INVALID');
    }
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      await attempt(changed);
    }
    // A changed weight or name makes another model.
    expect([...codes].sort()).toEqual(['MODEL_INVALID', 'folded']);
  });

  it('reports wrong arguments, places where nothing can be written, and an abort', async () => {
    const folder = temporaryFolder();
    const model = writeModel(join(folder, 'encoder.onnx'), ENCODER);
    const to = join(folder, 'folded.onnx');
    const tower = await randomTower(MLP);
    const broken = await randomTower(MLP);
    broken.parameters.get('output.bias')!.values[2] = Number.NaN;
    const output = 'tokens';
    const cases: [unknown[], string][] = [
      [[model, tower, { to: model, output }], 'INVALID_ARGUMENT'],
      [
        [model, tower, { to: join(folder, '..', folder.split('/').at(-1)!, 'encoder.onnx') }],
        'INVALID_ARGUMENT',
      ],
      [[model, tower, {}], 'INVALID_ARGUMENT'],
      [[model, tower, { to, outputs: output }], 'INVALID_ARGUMENT'],
      [[model, tower, { to, output: '' }], 'INVALID_ARGUMENT'],
      [[model, tower, { to, output, normaliseInput: 1 }], 'INVALID_ARGUMENT'],
      [[model, tower, { to, output, pooling: 'last' }], 'INVALID_ARGUMENT'],
      [[model, { shape: MLP }, { to, output }], 'INVALID_ARGUMENT'],
      [[model, broken, { to, output }], 'NOT_FINITE'],
      [[join(folder, 'none.onnx'), tower, { to, output }], 'FILE_NOT_FOUND'],
      [[model, tower, { to: join(folder, 'none', 'a.onnx'), output }], 'FILE_NOT_WRITABLE'],
      [[model, tower, { to, output, signal: AbortSignal.abort() }], 'ABORTED'],
    ];
    for (const [args, code] of cases) {
      await expect(foldTower(...(args as Parameters<typeof foldTower>))).rejects.toMatchObject({ code });
    }
    expect(readdirSync(folder)).toEqual(['encoder.onnx']);
  });
});

const photographic = resolve('../shared/data/mobilenet-v1/mobilenet_v1_1.0_224_embedder.fp32.onnx');
const absent = !existsSync(photographic);

describe.skipIf(absent)(
  `foldTower with MobileNet${absent ? ' (skipped: ../shared/data is absent)' : ''}`,
  () => {
    it('gives the vectors of encoder and tower, of pictures and of patches', async () => {
      const feeds = { pixel_values: tensor(randomNumbers(3 * 224 * 224, 'pixels'), [1, 3, 224, 224]) };
      const plain = await run(photographic, feeds);
      const to = join(temporaryFolder(), 'folded.onnx');
      const pictures = await randomTower({ kind: 'low-rank', dimension: 1024, rank: 16, scale: 0.2 });
      const patches = await randomTower({ kind: 'linear', input: 1024, output: 64 });
      await foldTower(photographic, pictures, { to, output: 'embedding' });
      const both = join(temporaryFolder(), 'both.onnx');
      await foldTower(to, patches, { to: both, output: 'patch_features' });
      const folded = await run(both, feeds);
      expect(Object.keys(folded)).toEqual(['embedding', 'patch_features']);
      expect(difference(folded['embedding'], await mapped(plain['embedding']!, pictures))).toBeLessThan(1e-5);
      const expected = await mapped(plain['patch_features']!, patches);
      expect(difference(folded['patch_features'], expected)).toBeLessThan(1e-5);
    });
  },
);

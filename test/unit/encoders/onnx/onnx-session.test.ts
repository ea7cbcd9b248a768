import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { OnnxSession } from '../../../../src/encoders/onnx/onnx-session.js';
import { buildOnnxModel } from './onnx-model-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-onnx-session-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** y = x x x ... (`layers` products of a square matrix with itself). */
function powerModel(name: string, layers: number): string {
  const file = join(folder, `${name}.onnx`);
  const nodes = Array.from({ length: layers }, (_, i) => ({
    op: 'MatMul',
    inputs: [i === 0 ? 'x' : `t${i}`, 'x'],
    outputs: [i === layers - 1 ? 'y' : `t${i + 1}`],
  }));
  const matrix = { type: 'float32', shape: ['rows', 'columns'] } as const;
  writeFileSync(
    file,
    buildOnnxModel({ inputs: [{ name: 'x', ...matrix }], outputs: [{ name: 'y', ...matrix }], nodes }),
  );
  return file;
}

function square(size: number, value = 1 / size) {
  return { type: 'float32', data: new Float32Array(size * size).fill(value), dims: [size, size] };
}

const small = powerModel('small', 1);
/** Takes a few hundred milliseconds on matrices of 1024. */
const slow = powerModel('slow', 12);

/** A stand-in for the runtime, with `body` as the session's `run`. */
function fakeRuntime(name: string, body: string, load = ''): string {
  mkdirSync(join(folder, name), { recursive: true });
  const file = join(folder, name, 'index.cjs');
  writeFileSync(
    file,
    `${load}
     exports.Tensor = class { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } };
     exports.InferenceSession = { create: async () => ({
       inputMetadata: [], outputMetadata: [], release: async () => {},
       run: async (feeds) => { ${body} },
     }) };`,
  );
  return file;
}

describe('OnnxSession', () => {
  test('runs a model and says what it takes and gives', async () => {
    await using session = await OnnxSession.open(small, { threads: 1 });
    expect(session.inputs).toMatchObject([{ name: 'x', type: 'float32', shape: ['rows', 'columns'] }]);
    expect(session.outputs).toMatchObject([{ name: 'y', type: 'float32' }]);
    const x = { type: 'float32', data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] };
    const { y } = await session.run({ x }, ['y']);
    expect(y).toEqual({ type: 'float32', data: Float32Array.of(7, 10, 15, 22), dims: [2, 2] });
  });

  test('keeps calls apart and in order, also those of two sessions at once', async () => {
    await using one = await OnnxSession.open(small);
    await using two = await OnnxSession.open(small);
    const runs = Array.from({ length: 12 }, (_, i) =>
      (i % 2 === 0 ? one : two).run({ x: square(1, i) }, ['y']).then(({ y }) => y!.data[0]),
    );
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 12 }, (_, i) => i * i));
  });

  test('leaves the event loop free while the model runs', async () => {
    await using session = await OnnxSession.open(slow, { threads: 1 });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await session.run({ x: square(1024) }, ['y']);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  test('names the file that is missing, is no file or is no model', async () => {
    const garbage = join(folder, 'garbage.onnx');
    writeFileSync(garbage, 'no protobuf');
    const missing = join(folder, 'missing.onnx');
    await expect(OnnxSession.open(missing)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      details: { file: missing },
    });
    await expect(OnnxSession.open(folder)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      details: { file: folder },
    });
    await expect(OnnxSession.open(garbage)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining(garbage),
    });
  });

  test('says how to install a runtime that is missing or does not load', async () => {
    await expect(OnnxSession.open(small, { runtime: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'MODEL_RUNTIME_MISSING',
      message: expect.stringContaining('npm install onnxruntime-node'),
    });
    const broken = fakeRuntime('broken', '', "throw new Error('wrong architecture');");
    await expect(OnnxSession.open(small, { runtime: broken })).rejects.toMatchObject({
      code: 'MODEL_RUNTIME_MISSING',
      message: expect.stringMatching(/wrong architecture.*npm install onnxruntime-node/s),
    });
  });

  test('reports an input that the model refuses and goes on', async () => {
    await using session = await OnnxSession.open(small);
    const wrong = { type: 'float32', data: new Float32Array(6), dims: [2, 3] };
    await expect(session.run({ x: wrong }, ['y'])).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      details: { file: small },
    });
    expect((await session.run({ x: square(1, 3) }, ['y']))['y']!.data[0]).toBe(9);
  });

  test('an abort rejects at once, drops what waits and leaves the session usable', async () => {
    await using session = await OnnxSession.open(slow, { threads: 1 });
    const reason = new Error('enough');
    await expect(session.run({ x: square(2) }, ['y'], AbortSignal.abort(reason))).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
    const controller = new AbortController();
    const started = performance.now();
    const first = session.run({ x: square(1024) }, ['y']);
    const aborted = [0, 1, 2, 3].map(() => session.run({ x: square(1024) }, ['y'], controller.signal));
    controller.abort();
    for (const run of aborted) await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
    const rejectedAfter = performance.now() - started;
    await first;
    expect(rejectedAfter).toBeLessThan((performance.now() - started) / 2);
    expect((await session.run({ x: square(1, 1) }, ['y']))['y']!.data[0]).toBe(1);
  });

  test('close lets the run under way end, refuses what waits and what comes later', async () => {
    const session = await OnnxSession.open(slow, { threads: 1 });
    const running = session.run({ x: square(512) }, ['y']);
    const waiting = session.run({ x: square(512) }, ['y']);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
    await Promise.all([session.close(), session.close()]);
    await expect(running).resolves.toHaveProperty('y');
    await refused;
    await expect(session.run({ x: square(2) }, ['y'])).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
  });

  test('a worker that dies fails its call, and the next call starts a new one', async () => {
    const runtime = fakeRuntime(
      'dying',
      `if (feeds.x.data[0] < 0) process.exit(7);
       return { y: new exports.Tensor('float32', Float32Array.of(feeds.x.data[0] + 1), [1]) };`,
    );
    await using session = await OnnxSession.open(small, { runtime });
    const dies = session.run({ x: square(1, -1) }, ['y']);
    const waits = session.run({ x: square(1, 4) }, ['y']);
    await expect(dies).rejects.toMatchObject({ code: 'INTERNAL', details: { file: small, exitCode: 7 } });
    expect((await waits)['y']!.data[0]).toBe(5);
    expect((await session.run({ x: square(1, 5) }, ['y']))['y']!.data[0]).toBe(6);
  });

  test('a worker that dies and cannot be started again fails every waiting call', async () => {
    const marker = join(folder, 'started-once');
    const runtime = fakeRuntime(
      'once',
      'process.exit(7);',
      `const fs = require('node:fs');
       if (fs.existsSync(${JSON.stringify(marker)})) throw new Error('gone');
       fs.writeFileSync(${JSON.stringify(marker)}, '');`,
    );
    await using session = await OnnxSession.open(small, { runtime });
    const runs = [1, 2, 3].map(() => session.run({ x: square(1) }, ['y']));
    await expect(runs[0]).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(runs[1]).rejects.toMatchObject({ code: 'MODEL_RUNTIME_MISSING' });
    await expect(runs[2]).rejects.toMatchObject({ code: 'MODEL_RUNTIME_MISSING' });
  });
});

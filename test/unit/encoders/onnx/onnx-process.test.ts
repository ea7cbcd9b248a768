import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildOnnxModel } from './onnx-model-builder.js';

/*
 * What a session does to the process that it runs in can only be seen from outside: each test is a program of its own,
 * run from both builds of the package.
 */
const folder = mkdtempSync(join(tmpdir(), 'granule-onnx-process-'));
const root = resolve('.');
const runtime = createRequire(import.meta.url).resolve('onnxruntime-node');
const model = join(folder, 'power.onnx');

beforeAll(() => {
  const nodes = Array.from({ length: 40 }, (_, i) => ({
    op: 'MatMul',
    inputs: [i === 0 ? 'x' : `t${i}`, 'x'],
    outputs: [i === 39 ? 'y' : `t${i + 1}`],
  }));
  const matrix = { type: 'float32', shape: ['rows', 'columns'] } as const;
  writeFileSync(
    model,
    buildOnnxModel({ inputs: [{ name: 'x', ...matrix }], outputs: [{ name: 'y', ...matrix }], nodes }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `body` after a session was imported, in a process of its own. */
function run(build: 'esm' | 'cjs', body: string) {
  const module = join(root, 'dist', build, 'encoders/onnx/onnx-session.js');
  const head =
    build === 'esm'
      ? `import { OnnxSession } from ${JSON.stringify(module)};`
      : `const { OnnxSession } = require(${JSON.stringify(module)});`;
  const program = join(folder, `${build}-${Math.abs(hash(body))}.${build === 'esm' ? 'mjs' : 'cjs'}`);
  const setting = `const model = ${JSON.stringify(model)}, options = { threads: 1, runtime: ${JSON.stringify(runtime)} };
    const square = (n) => ({ x: { type: 'float32', data: new Float32Array(n * n).fill(1 / n), dims: [n, n] } });`;
  writeFileSync(program, `${head}\n${setting}\n(async () => { ${body} })();`);
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program], { timeout: 20_000 });
  return { status, signal, stdout: stdout.toString(), stderr: stderr.toString() };
}

function hash(text: string): number {
  let value = 0;
  for (const character of text) value = (Math.imul(value, 31) + character.codePointAt(0)!) | 0;
  return value;
}

describe.each(['esm', 'cjs'] as const)('a session in a process of its own (%s)', (build) => {
  test('does not keep the process alive when idle, and does while a call waits', () => {
    const result = run(
      build,
      `const session = await OnnxSession.open(model, options);
       const { y } = await session.run(square(512), ['y']);
       console.log(y.dims.join());`,
    );
    expect(result).toMatchObject({ status: 0, signal: null, stdout: '512,512\n' });
  });

  test('close ends where nothing else keeps the process alive', () => {
    const result = run(
      build,
      `const session = await OnnxSession.open(model, options);
       await session.close();
       console.log('closed');`,
    );
    expect(result).toMatchObject({ status: 0, stdout: 'closed\n' });
  });

  test('does not abort the process that exits in the middle of a run', () => {
    const result = run(
      build,
      `const session = await OnnxSession.open(model, options);
       session.run(square(512), ['y']);
       setTimeout(() => process.exit(3), 50);`,
    );
    expect(result).toMatchObject({ status: 3, signal: null });
  });

  test('does not abort the process that exits while the model is loaded', () => {
    for (const delay of [30, 60, 90]) {
      const result = run(
        build,
        `OnnxSession.open(model, options); setTimeout(() => process.exit(3), ${delay});`,
      );
      expect(result).toMatchObject({ status: 3, signal: null });
    }
  });

  test('does not hide an error that ends the process in the middle of a run', () => {
    const result = run(
      build,
      `const session = await OnnxSession.open(model, options);
       session.run(square(512), ['y']);
       setTimeout(() => { throw new Error('unrelated'); }, 50);`,
    );
    expect(result).toMatchObject({ status: 1, signal: null, stderr: expect.stringContaining('unrelated') });
  });
});

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PackageSandbox, packAndInstall } from './package-sandbox.js';

const SEARCH = `
async function search({ FlatIndex }) {
  const index = new FlatIndex({ dimension: 3, metric: 'ip' });
  await index.add(new Float32Array([1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.5, 0]));
  const hits = await index.search(new Float32Array([0.75, 0.5, 0]), { k: 3 });
  return JSON.stringify({ rows: [...hits.rows], scores: [...hits.scores] });
}
`;
const FOUND = '{"rows":[0,3,1],"scores":[0.75,0.625,0.5]}';

let sandbox: PackageSandbox;

beforeAll(() => {
  sandbox = packAndInstall();
}, 180_000);

afterAll(() => sandbox?.remove());

describe('the tarball', () => {
  beforeEach((context) => {
    if (sandbox.unreachable !== undefined) context.skip(sandbox.unreachable);
  });

  it('holds the library, a binary for this machine, and nothing to build from', () => {
    const files = sandbox.files();
    const platform = `${process.platform}-${process.arch}`;
    for (const needed of [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'docs/errors.md',
      'dist/esm/index.js',
      'dist/esm/index.d.ts',
      'dist/esm/cli/main.js',
      'dist/cjs/index.js',
      'dist/cjs/index.d.ts',
      'dist/cjs/package.json',
      `prebuilds/${platform}/granule.node`,
      ...[1, 2, 3].map((seed) => `models/countries/seed-${seed}.safetensors`),
    ]) {
      expect(files).toContain(needed);
    }
    const allowed =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/|models\/|dist\/(esm|cjs)\/|prebuilds\/[\w+-]+\/)/;
    expect(files.filter((file) => !allowed.test(file))).toEqual([]);
    const sources =
      /(^|\/)(binding\.gyp|CMakeLists\.txt|tests?|native\/.*\.(cc|h))(\/|$)|\.(cc|cu|cuh|h|map)$|(?<!\.d)\.[cm]?ts$/;
    expect(files.filter((file) => sources.test(file))).toEqual([]);
  });

  it('stays small', () => {
    // Of the tarball 6 MB, and of the package 6.4 MB, are what was trained: numbers that hardly compress.
    expect(statSync(sandbox.tarball).size).toBeLessThan(7_800_000);
    const total = sandbox
      .files()
      .reduce((sum, file) => sum + statSync(join(sandbox.installed, file)).size, 0);
    expect(total).toBeLessThan(13_800_000);
  });

  it('runs no script when it is installed, and pulls in no optional model runtime', () => {
    const { scripts } = JSON.parse(readFileSync(join(sandbox.installed, 'package.json'), 'utf8'));
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
    expect(existsSync(join(sandbox.project, 'node_modules', 'onnxruntime-node'))).toBe(false);
  });

  it('satisfies publint', async () => {
    const { messages } = await publint({ pkgDir: sandbox.installed, pack: false, strict: true });
    expect(messages).toEqual([]);
  });
});

describe('the installed package, without a compiler on the PATH', () => {
  beforeEach((context) => {
    if (sandbox.unreachable !== undefined) context.skip(sandbox.unreachable);
  });

  function printed(name: string, text: string, cwd?: string): string {
    const { status, stdout, stderr } = sandbox.script(name, text, cwd);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout.trim();
  }

  it('searches when it is imported', () => {
    const text = `import * as granule from 'granule';\n${SEARCH}console.log(await search(granule));\n`;
    expect(printed('search.mjs', text)).toBe(FOUND);
  });

  it('searches when it is required', () => {
    const text = `${SEARCH}search(require('granule')).then(console.log);\n`;
    expect(printed('search.cjs', text)).toBe(FOUND);
  });

  it('gives the same names to import and to require, in every entry', () => {
    const { exports } = JSON.parse(readFileSync(join(sandbox.installed, 'package.json'), 'utf8'));
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
    const text = `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const names = (module) => Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports').sort();
      const entries = ${JSON.stringify(entries)}.map((entry) => entry.replace('.', 'granule'));
      const found = entries.map(async (entry) => [entry, names(await import(entry)), names(require(entry))]);
      console.log(JSON.stringify(await Promise.all(found)));
    `;
    for (const [entry, imported, required] of JSON.parse(printed('names.mjs', text))) {
      expect(imported.length, entry).toBeGreaterThan(2);
      expect(required, entry).toEqual(imported);
    }
  });

  it('loads no dependency with the library before it is needed, and none with the client', () => {
    const text = (name: string) => `
      import { Module } from 'node:module';
      import * as imported from '${name}';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('${name}');
      const loaded = Object.keys(Module._cache).filter((file) => !/granule.(dist|package\\.json)/.test(file));
      console.log(JSON.stringify([typeof imported.GranuleError, Object.keys(required).length >= 3, loaded]));
    `;
    expect(JSON.parse(printed('library-loads.mjs', text('granule')))).toEqual(['function', true, []]);
    expect(JSON.parse(printed('client-loads.mjs', text('granule/client')))).toEqual(['function', true, []]);
  });

  it('works as two copies in one process, each with its own error class', () => {
    cpSync(sandbox.installed, join(sandbox.project, 'node_modules', 'granule-copy'), { recursive: true });
    const text = `
      import { createRequire } from 'node:module';
      import * as first from 'granule';
      import * as second from './node_modules/granule-copy/dist/esm/index.js';
      ${SEARCH}
      const third = createRequire(import.meta.url)('granule');
      const copies = [first, second, third];
      const found = await Promise.all(copies.map(search));
      const own = await Promise.all(copies.map(async ({ FlatIndex, GranuleError }) => {
        const index = new FlatIndex({ dimension: 2 });
        const error = await index.add(new Float32Array([1, NaN])).catch((error) => error);
        return error instanceof GranuleError && error.code;
      }));
      console.log(JSON.stringify({ found: new Set(found).size, first: found[0], own }));
    `;
    expect(JSON.parse(printed('copies.mjs', text))).toEqual({
      found: 1,
      first: FOUND,
      own: ['NOT_FINITE', 'NOT_FINITE', 'NOT_FINITE'],
    });
  });

  it('works in worker threads, at once and one after another', () => {
    const text = `
      import { Worker, isMainThread, parentPort } from 'node:worker_threads';
      import * as granule from 'granule';
      ${SEARCH}
      const inWorker = () => new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url));
        let answer;
        worker.on('message', (message) => { answer = message; });
        worker.on('error', reject);
        worker.on('exit', (code) => resolve([code, answer]));
      });
      if (isMainThread) {
        const answers = await Promise.all([inWorker(), inWorker(), inWorker()]);
        answers.push(await inWorker(), [0, await search(granule)]);
        console.log(JSON.stringify(answers));
      } else {
        parentPort.postMessage(await search(granule));
      }
    `;
    expect(JSON.parse(printed('workers.mjs', text))).toEqual(Array(5).fill([0, FOUND]));
  });

  it.each([
    ['imported', 'threads.mjs', "import * as granule from 'granule';"],
    ['required', 'threads.cjs', "const granule = require('granule');"],
  ])('encodes and reads in threads of its own when it is %s', (_, file, load) => {
    const text = `
      ${load}
      async function run() {
        const alone = new granule.NgramTextEncoder({ dimension: 32 });
        const texts = granule.textEncoderInThreads(new granule.NgramTextEncoder({ dimension: 32 }), { threads: 2 });
        const reader = granule.generatorInThreads(new granule.ExtractiveReader(), { threads: 1 });
        alone.fit(['one text', 'another text']);
        await texts.fit(['one text', 'another text']);
        const [a, b] = [await alone.encodeQueries(['one']), await texts.encodeQueries(['one'])];
        const passage = { id: 'p', entityId: 'e', text: 'Tower. The tower stands in Oslo.' };
        const [[{ text }]] = await reader.generate('Where does the tower stand?', [passage]);
        return JSON.stringify([texts.threads, String(a.vectors.data) === String(b.vectors.data), text]);
      }
      run().then(console.log);
    `;
    expect(printed(file, text)).toBe('[2,true,"Oslo"]');
  });

  it('says what is missing where there is no binary, and only once it is needed', () => {
    const folder = join(sandbox.project, 'without-binary');
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    cpSync(sandbox.installed, join(folder, 'node_modules', 'granule'), { recursive: true });
    rmSync(join(folder, 'node_modules', 'granule', 'prebuilds'), { recursive: true });
    const text = `
      import { FlatIndex, GranuleError } from 'granule';
      try {
        new FlatIndex({ dimension: 2 });
        console.log('found a binary');
      } catch (error) {
        console.log(error instanceof GranuleError, error.code);
      }
    `;
    expect(printed('missing.mjs', text, folder)).toBe('true ADDON_NOT_FOUND');
  });

  it.each([
    ['node16', 'node16', 'consumer.mts', true],
    ['node16', 'node16', 'consumer.cts', true],
    // The same declarations again, by other ways.
    ['nodenext', 'nodenext', 'consumer.mts', false],
    ['esnext', 'bundler', 'consumer.ts', false],
  ])(
    'resolves its types with module %s and moduleResolution %s from %s; checks the declarations: %s',
    (module, moduleResolution, file, checked) => {
      const text = `
      import { FlatIndex, GranuleError, type Hits } from 'granule';
      import { type Answer, GranuleClient } from 'granule/client';
      export async function ask(client: GranuleClient): Promise<string | null> {
        const answered: Answer = await client.ask({ question: 'What?' });
        for await (const event of client.askStages({ question: 'What?' })) {
          if (event.step === 'answer') return event.answer.passages[0]?.passage.text ?? null;
        }
        // @ts-expect-error: a question is asked in words
        await client.ask({ question: 1 });
        return answered.answer;
      }
      export async function first(vectors: Float32Array): Promise<number | undefined> {
        const index = new FlatIndex({ dimension: 3, metric: 'cosine' });
        await index.add(vectors);
        const hits: Hits = await index.search(vectors, { k: 1 });
        // @ts-expect-error: the metric is none of the three
        new FlatIndex({ dimension: 3, metric: 'manhattan' });
        return hits.rows[0];
      }
      export const code = (error: GranuleError): 'ABORTED' | string => error.code;
    `;
      writeFileSync(join(sandbox.project, file), text);
      writeFileSync(
        join(sandbox.project, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            module,
            moduleResolution,
            target: 'es2023',
            lib: ['es2023', 'esnext.disposable'],
            strict: true,
            noEmit: true,
            skipLibCheck: !checked,
            types: ['node'],
            typeRoots: [resolve('node_modules/@types')],
          },
          files: [file],
        }),
      );
      const tsc = resolve('node_modules/typescript/bin/tsc');
      const { status, stdout } = sandbox.run('node', [tsc, '-p', 'tsconfig.json']);
      expect(stdout).toBe('');
      expect(status).toBe(0);
    },
  );

  it('brings its command', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const { status, stdout } = sandbox.run('npx', ['granule', '--version']);
    expect(stdout.trim()).toBe(version);
    expect(status).toBe(0);
  });
});

describe('a clone that was built', () => {
  it('is not built again by prepare, which npm repeats whenever npx links it', () => {
    const { status, stdout, stderr } = sandbox.run('node', ['scripts/prepare.mjs'], resolve('.'));
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('runs its own command by npx', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const { status, stdout } = sandbox.run('npx', ['granule', '--version'], resolve('.'));
    expect(stdout.trim()).toBe(version);
    expect(status).toBe(0);
  });
});

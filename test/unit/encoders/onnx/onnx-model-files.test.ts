import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type HubModule, readConfig, resolveModelFiles } from '../../../../src/encoders/onnx/model-files.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-model-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with empty files. */
function place(name: string, files: readonly string[]): string {
  const root = join(folder, name);
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '{}');
  }
  return root;
}

describe('resolveModelFiles', () => {
  test('takes a file as it is, and of a folder model.onnx, onnx/model.onnx, or the only one', async () => {
    const both = place('both', ['model.onnx', 'onnx/model.onnx', 'other.onnx']);
    expect(await resolveModelFiles(join(both, 'other.onnx'))).toEqual({
      model: join(both, 'other.onnx'),
      folders: [both],
    });
    expect((await resolveModelFiles(both)).model).toBe(join(both, 'model.onnx'));
    expect((await resolveModelFiles(both, { file: 'onnx/model.onnx' })).model).toBe(
      join(both, 'onnx/model.onnx'),
    );
    const only = place('only', ['vision.onnx', 'notes.txt']);
    expect((await resolveModelFiles(only)).model).toBe(join(only, 'vision.onnx'));
  });

  test('looks for configuration beside the model and, from onnx/, one level above', async () => {
    const nested = place('nested', ['onnx/model.onnx', 'onnx/tokenizer.json']);
    writeFileSync(join(nested, 'tokenizer.json'), '{"above":1}');
    writeFileSync(join(nested, 'preprocessor_config.json'), '{"above":2}');
    const files = await resolveModelFiles(nested);
    expect(await readConfig(files, 'tokenizer.json')).toEqual({});
    expect(await readConfig(files, 'preprocessor_config.json')).toEqual({ above: 2 });
    expect(await readConfig(files, 'tokenizer_config.json')).toBeUndefined();
    writeFileSync(join(nested, 'tokenizer_config.json'), '[1]');
    await expect(readConfig(files, 'tokenizer_config.json')).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      details: { file: join(nested, 'tokenizer_config.json') },
    });
  });

  test('names what is missing or ambiguous', async () => {
    const none = place('none', ['readme.md']);
    const several = place('several', ['text.onnx', 'vision.onnx']);
    await expect(resolveModelFiles(none)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      details: { file: none },
    });
    await expect(resolveModelFiles(several)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('text.onnx, vision.onnx'),
    });
    await expect(resolveModelFiles(several, { file: 'audio.onnx' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    });
    for (const missing of [join(folder, 'gone'), './models/gone', 'models/gone.onnx', 'gone']) {
      await expect(resolveModelFiles(missing)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    }
  });
});

describe('a model of the hub', () => {
  const repository = [
    'README.md',
    'model.safetensors',
    'onnx/model.onnx',
    'onnx/model.onnx_data',
    'onnx/model_fp16.onnx',
    'tokenizer.json',
    '1_Pooling/config.json',
  ];

  /** A hub whose cache is a folder here. */
  function fakeHub(downloaded: string[], revisions: (string | undefined)[] = []): HubModule {
    const cache = join(folder, 'cache');
    return {
      async *listFiles() {
        for (const path of repository) yield { type: 'file', path };
        yield { type: 'directory', path: 'onnx' };
      },
      async downloadFileToCacheDir({ path, revision }) {
        downloaded.push(path);
        revisions.push(revision);
        place('cache', [path]);
        return join(cache, path);
      },
    };
  }

  test('brings the model, its external data and its configuration, and nothing else', async () => {
    const downloaded: string[] = [];
    const revisions: (string | undefined)[] = [];
    const importHub = async () => fakeHub(downloaded, revisions);
    const files = await resolveModelFiles('organisation/name', { revision: 'v2', importHub });
    expect(downloaded).toEqual([
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'tokenizer.json',
      '1_Pooling/config.json',
    ]);
    expect(new Set(revisions)).toEqual(new Set(['v2']));
    expect(files.model).toBe(join(folder, 'cache', 'onnx/model.onnx'));
    expect(await readConfig(files, 'tokenizer.json')).toEqual({});
    const chosen = await resolveModelFiles('organisation/name', { file: 'onnx/model_fp16.onnx', importHub });
    expect(chosen.model).toBe(join(folder, 'cache', 'onnx/model_fp16.onnx'));
  });

  test('says what to install where the client is missing, and what failed where it is not', async () => {
    await expect(resolveModelFiles('organisation/name')).rejects.toMatchObject({
      code: 'MODEL_RUNTIME_MISSING',
      message: expect.stringContaining('npm install @huggingface/hub'),
    });
    const offline: HubModule = {
      // biome-ignore lint/correctness/useYield: it fails before it lists anything
      async *listFiles() {
        throw new Error('no network');
      },
      downloadFileToCacheDir: () => Promise.reject(new Error('no network')),
    };
    await expect(
      resolveModelFiles('organisation/name', { importHub: async () => offline }),
    ).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('no network') });
  });
});

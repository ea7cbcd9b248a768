import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { GranuleError } from '../../errors.js';

/** Files beside a model that say how it is to be used. */
const CONFIG_FILES = [
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
] as const;

/** One of the configuration files that encoders read. */
export type ConfigFile = (typeof CONFIG_FILES)[number];

/** Preferred model files of a folder, in this order; else its only `.onnx` file. */
const MODEL_NAMES = ['model.onnx', 'onnx/model.onnx'];

/** What is used of the package `@huggingface/hub`. */
export interface HubModule {
  listFiles(params: {
    repo: string;
    revision?: string;
    recursive: boolean;
  }): AsyncIterable<{ readonly type: string; readonly path: string }>;
  /** Downloads one file into the hub's cache, unless it is there, and gives its path. */
  downloadFileToCacheDir(params: { repo: string; path: string; revision?: string }): Promise<string>;
}

/** Which of a repository's files is wanted, and how the hub is reached. */
export interface ModelFilesOptions {
  /** Path of the `.onnx` file inside of the folder or repository, e.g. `onnx/vision_model.onnx`. */
  readonly file?: string;
  /** Branch, tag or commit of a hub repository; default its main branch. */
  readonly revision?: string;
  /** Gives the hub's client; default: imports the optional package `@huggingface/hub`. */
  readonly importHub?: () => Promise<HubModule>;
}

/** A model on this machine and the folders, nearest first, in which its configuration lies. */
export interface ModelFiles {
  readonly model: string;
  readonly folders: readonly string[];
}

/**
 * Finds a model: an `.onnx` file, a folder that holds one, or `organisation/name` on the Hugging Face hub (downloaded
 * into the hub's own cache: the chosen model, its external data and its configuration, nothing else).
 *
 * @throws GranuleError `FILE_NOT_FOUND`, `MODEL_INVALID` (no model there, or several and none chosen),
 * `MODEL_RUNTIME_MISSING` (a hub name without the package `@huggingface/hub`)
 */
export async function resolveModelFiles(model: string, options: ModelFilesOptions = {}): Promise<ModelFiles> {
  const path = resolve(model);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return modelFiles(path);
  if (found !== undefined)
    return modelFiles(join(path, chooseModel(path, await onnxFilesOf(path, options), options)));
  if (!/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model) || model.endsWith('.onnx')) {
    throw new GranuleError('FILE_NOT_FOUND', `no such model file or folder: ${path}`, { file: path });
  }
  return download(model, options);
}

/** Parsed content of a configuration file; undefined where the model has none. */
export async function readConfig(
  files: ModelFiles,
  name: ConfigFile,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  for (const folder of files.folders) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    return parseConfig(path, text);
  }
  return undefined;
}

/** Parses `text` as a JSON object; `path` is for the error. */
export function parseConfig(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new GranuleError('MODEL_INVALID', `${path} is not JSON: ${(error as Error).message}`, {
      file: path,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GranuleError('MODEL_INVALID', `${path} is not a JSON object`, { file: path });
  }
  return value as Readonly<Record<string, unknown>>;
}

/** In the usual layout the model lies in `onnx/` and its configuration one level above. */
function modelFiles(model: string): ModelFiles {
  const folder = dirname(model);
  return { model, folders: basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder] };
}

async function onnxFilesOf(folder: string, { file }: ModelFilesOptions): Promise<string[]> {
  if (file !== undefined && (await stat(join(folder, file)).catch(() => undefined))?.isFile()) return [file];
  const names = await readdir(folder);
  const nested = await readdir(join(folder, 'onnx')).catch(() => []);
  return [...names, ...nested.map((name) => `onnx/${name}`)].filter((name) => name.endsWith('.onnx')).sort();
}

function chooseModel(place: string, candidates: readonly string[], { file }: ModelFilesOptions): string {
  const only = candidates.length === 1 ? candidates[0] : undefined;
  const chosen = file ?? MODEL_NAMES.find((name) => candidates.includes(name)) ?? only;
  if (chosen !== undefined && candidates.includes(chosen)) return chosen;
  const problem =
    candidates.length === 0
      ? 'holds no .onnx file'
      : `${file === undefined ? 'holds several models, name one by `file`' : `holds no ${file}`}: ${candidates.join(', ')}`;
  throw new GranuleError('MODEL_INVALID', `${place} ${problem}`, {
    file: place,
    candidates: [...candidates],
  });
}

async function download(repo: string, options: ModelFilesOptions): Promise<ModelFiles> {
  const hub = await (options.importHub ?? importHub)().catch((error: unknown) => {
    throw new GranuleError(
      'MODEL_RUNTIME_MISSING',
      `'${repo}' is neither a file nor a folder here; to download it from the hub, install the package that does so: ` +
        'npm install @huggingface/hub',
      { package: '@huggingface/hub', model: repo },
      { cause: error },
    );
  });
  const revision = options.revision === undefined ? {} : { revision: options.revision };
  try {
    const paths: string[] = [];
    for await (const entry of hub.listFiles({ repo, recursive: true, ...revision })) {
      if (entry.type === 'file') paths.push(entry.path);
    }
    const candidates = paths.filter((path) => path.endsWith('.onnx')).sort();
    const chosen = chooseModel(repo, candidates, options);
    // External data is named after the model: model.onnx_data, model.onnx.data, model.onnx_data_1 ...
    const beside = paths.filter((path) => path !== chosen && path.startsWith(chosen));
    const configs = paths.filter((path) => (CONFIG_FILES as readonly string[]).includes(path));
    const model = await hub.downloadFileToCacheDir({ repo, path: chosen, ...revision });
    for (const path of [...beside, ...configs]) await hub.downloadFileToCacheDir({ repo, path, ...revision });
    return modelFiles(model);
  } catch (error) {
    if (error instanceof GranuleError) throw error;
    throw new GranuleError(
      'MODEL_INVALID',
      `the model '${repo}' cannot be downloaded: ${(error as Error).message}`,
      { model: repo },
      { cause: error },
    );
  }
}

async function importHub(): Promise<HubModule> {
  // Through a variable: the package is optional, and neither the compiler nor a bundler is to look for it.
  const name = '@huggingface/hub';
  return (await import(name)) as HubModule;
}

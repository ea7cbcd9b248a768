import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { unlessSystem } from '../../corpus/storage/corpus-files.js';
import { unreadableFile } from '../../corpus/unreadable-file.js';
import { resolveModelFiles } from '../../encoders/onnx/model-files.js';
import { GranuleError } from '../../errors.js';
import { replaceDurably } from '../../files/durable-file.js';
import { checkBoolean, checkKeys, checkSignal, show } from '../../index/arguments.js';
import { refuseNotFinite } from '../files/finite-values.js';
import { Tower } from '../towers/tower.js';
import { type FoldedPooling, foldedModel } from './onnx/folded-model.js';
import { chooseFoldedOutput } from './onnx/folded-output.js';
import { readOnnxGraph } from './onnx/onnx-graph.js';

/** Most bytes of a model: protocol buffers have no longer messages. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** Options of {@link foldTower}. */
export interface FoldTowerOptions {
  /** Path of the model that is written; a file that is there is replaced. */
  readonly to: string;
  /** The output whose vectors the tower maps; by default the only one that it fits. */
  readonly output?: string | undefined;
  /**
   * One vector from the token vectors of an output `[N, T, D]` before the tower maps it, as `OnnxTextEncoder` does it: the mean over the tokens
   * that the model's input `attention_mask` counts, or the first. The mapped vectors are an output `[N, D]` more. By default each vector is
   * mapped as it is, and the mapped output takes the place of the other.
   */
  readonly pooling?: FoldedPooling | undefined;
  /** What the mapped output is called; by default as the output that it takes the place of, with `pooling` `sentence_embedding`. */
  readonly name?: string | undefined;
  /**
   * Whether vectors are divided by max(norm, 1e-12) before they are mapped. True by default, because encoders do that before a tower is
   * trained on their vectors; false where the encoder was opened with `normalize: false`.
   */
  readonly normaliseInput?: boolean | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link foldTower} did. */
export interface FoldedTower {
  /** The output that is mapped. */
  readonly output: string;
  /** What it is called in the model that was written. */
  readonly name: string;
  /** Numbers per vector that it gives. */
  readonly columns: number;
  /** Version of the operators of ONNX that the model uses. */
  readonly operatorSet: number;
  /** Of the file that was written. */
  readonly bytes: number;
}

/**
 * Puts a tower behind an output of an ONNX model, `[N, D]` or `[N, T, D]`, as operators of the model's own version (8 or later), so that
 * any runtime gives mapped vectors: those of encoder and tower up to float32 rounding. Everything else of the model is copied byte for
 * byte. An output of float16, bfloat16 or float64 is cast to float32. What else the model computes from that output it computes from
 * the unmapped one.
 *
 * Norms are float32 there: vectors whose norm lies outside of 1e-18 to 1e18 come out otherwise than of a `Tower`.
 *
 * @param model - an `.onnx` file, a folder that holds one, or a name on the hub, as encoders take it
 * @param tower - trained on that output's vectors
 * @throws GranuleError `INVALID_ARGUMENT`; `NOT_FINITE` with `details.parameter`; `FILE_NOT_FOUND`; `MODEL_INVALID` where the file is no model,
 * has no such output, has weights in files beside it that the result would not find, or would pass 2 GiB; `MODEL_RUNTIME_MISSING` for a
 * hub name without the hub's package; `FILE_NOT_WRITABLE`, `OUT_OF_MEMORY`, `ABORTED`
 */
export async function foldTower(
  model: string,
  tower: Tower,
  options: FoldTowerOptions,
): Promise<FoldedTower> {
  checkKeys(options, ['to', 'output', 'pooling', 'name', 'normaliseInput', 'signal']);
  const { to, output: wanted, pooling, normaliseInput = true } = options;
  if (!(tower instanceof Tower)) throw invalid(`tower must be a Tower, got ${show(tower)}`);
  for (const [name, text] of Object.entries({
    model,
    to,
    output: wanted ?? 'any',
    name: options.name ?? 'any',
  })) {
    if (typeof text !== 'string' || text === '') throw invalid(`${name} must be a text, got ${show(text)}`);
  }
  if (pooling !== undefined && pooling !== 'mean' && pooling !== 'cls') {
    throw invalid(`pooling must be 'mean' or 'cls', got ${show(pooling)}`);
  }
  checkBoolean(normaliseInput, 'normaliseInput');
  const turns = new EventLoopTurns(checkSignal(options.signal));
  for (const [name, parameter] of tower.parameters) await refuseNotFinite(name, parameter, turns);
  const { model: file } = await resolveModelFiles(model);
  const bytes = await readModel(file, to);
  try {
    await turns.pass();
    const graph = await readOnnxGraph(bytes, turns);
    await refuseLostFiles(graph.externalFiles, file, to);
    const output = chooseFoldedOutput(graph, tower, { wanted, pooled: pooling !== undefined });
    const name = options.name ?? (pooling === undefined ? output.name : 'sentence_embedding');
    const parts = await foldedModel(graph, tower, { output, name, pooling, normaliseInput }, turns);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    if (size > MAX_MODEL_BYTES) throw tooLong(size);
    await write(to, parts);
    return { output: output.name, name, columns: tower.output, operatorSet: graph.operatorSet, bytes: size };
  } catch (error) {
    throw naming(file, error);
  }
}

async function readModel(file: string, to: string): Promise<Uint8Array> {
  const { size } = await stat(file).catch(unreadableFile(file));
  const [from, target] = await Promise.all(
    [file, to].map((path) => realpath(path).catch(() => resolve(path))),
  );
  if (from === target) throw invalid(`to must be another file than the model, ${file}`);
  if (size > MAX_MODEL_BYTES) throw naming(file, tooLong(size));
  return readFile(file).catch(unreadableFile(file));
}

/** Constants in other files are found beside the model only. */
async function refuseLostFiles(files: readonly string[], file: string, to: string): Promise<void> {
  if (files.length === 0) return;
  const folders = [file, to].map((path) => dirname(resolve(path)));
  const [from, target] = await Promise.all(folders.map((path) => realpath(path).catch(() => path)));
  if (from === target) return;
  throw new GranuleError(
    'MODEL_INVALID',
    `has weights in ${files.slice(0, 3).join(', ')}, which it finds beside itself only: write to its folder, ${from}, or copy those files ` +
      'and the model to the other folder first',
    { externalFiles: files },
  );
}

async function write(to: string, parts: readonly Uint8Array[]): Promise<void> {
  try {
    await replaceDurably(to, parts);
  } catch (error) {
    throw unlessSystem(error, to);
  }
}

/** Errors about the model begin with its file. */
function naming(file: string, error: unknown): unknown {
  if (!(error instanceof GranuleError) || error.code !== 'MODEL_INVALID') return error;
  const { message, details, cause } = error;
  return new GranuleError('MODEL_INVALID', `the model ${file} ${message}`, { ...details, file }, { cause });
}

function tooLong(bytes: number): GranuleError {
  return new GranuleError(
    'MODEL_INVALID',
    `is too long with ${bytes} bytes, for an ONNX file may have ${MAX_MODEL_BYTES}: keep its weights in a file beside it first, as onnx.save ` +
      'does with save_as_external_data=True',
    { bytes },
  );
}

function invalid(message: string): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message);
}

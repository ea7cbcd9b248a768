import { basename } from 'node:path';
import { GranuleError } from '../../errors.js';
import { matrix } from '../../vectors/matrix.js';
import type {
  EncodeOptions,
  ImageEmbeddings,
  ImageEncoder,
  ImageInput,
  ImageQuery,
  Quads,
} from '../encoder.js';
import { type ModelFilesOptions, readConfig, resolveModelFiles } from './model-files.js';
import {
  chooseImageOutputs,
  type ImageOutputOptions,
  type ImageOutputs,
  imagePatches,
  imageVector,
} from './onnx-image-outputs.js';
import {
  type ImagePreprocessing,
  type PreprocessedImage,
  preprocessImage,
} from './onnx-image-preprocessing.js';
import { onnxModelVersion } from './onnx-model-version.js';
import { finishRows } from './onnx-output-rows.js';
import { resolvePreprocessing } from './onnx-preprocessor-config.js';
import { OnnxSession, type OnnxSessionOptions, type OnnxTensor, type OnnxValueInfo } from './onnx-session.js';
import { gridQuads, regionQuad } from './patch-grid.js';
import { type PatchProjection, projectRows, requireProjection } from './patch-projection.js';

/** Patches projected before other work gets its turn: about a millisecond's worth at 1024 to 128 numbers. */
const PROJECTED_AT_ONCE = 8;

/** Options of an image encoder; all may be left out where the model comes with a `preprocessor_config.json`. */
export interface OnnxImageEncoderOptions extends OnnxSessionOptions, ModelFilesOptions, ImageOutputOptions {
  /** What names the encoder in a corpus; default `onnx:` and the model's file name. */
  readonly name?: string;
  /** Overrides single values of `preprocessor_config.json`. */
  readonly preprocessing?: Partial<ImagePreprocessing>;
  /** Projects patch vectors, e.g. to their principal components, before they are normalised. */
  readonly patchProjection?: PatchProjection;
  /** Divides vectors and patch vectors by their Euclidean norm; default true. */
  readonly normalize?: boolean;
  /** Images per run of the model; default 8. A model with a fixed batch is run with that. */
  readonly batchSize?: number;
}

/** What opening a model finds out. */
interface Plan {
  readonly input: string;
  readonly preprocessing: ImagePreprocessing;
  readonly outputs: ImageOutputs;
  readonly batchSize: number;
  readonly fixedBatch: boolean;
  readonly version: string;
}

/** Embeddings, and the part of each image that its vector shows. */
type ViewedEmbeddings = ImageEmbeddings & { readonly viewQuads: Quads };

/**
 * An image encoder that runs an ONNX model: one vector per image and, where the model gives them, one per patch with its
 * place. A query is looked at through one view, the whole picture (or its middle, where the preprocessing crops), and
 * its patches come from the same pass.
 *
 * The model has one input, a picture of 4 dimensions, and an output [N, D] or [N, tokens, D'] or both. The runtime may
 * add numbers in another order for another batch size, thread count or processor: vectors then agree to float32
 * rounding, not to the bit.
 */
export class OnnxImageEncoder implements ImageEncoder {
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  readonly patchDimension: number;
  /** How pictures are prepared, as resolved from options, configuration and model. */
  readonly preprocessing: ImagePreprocessing;
  readonly #session: OnnxSession;
  readonly #plan: Plan;
  readonly #normalize: boolean;
  readonly #projection: PatchProjection | undefined;

  /**
   * Opens a model and runs it once on an empty picture to learn its outputs.
   *
   * @param model - path of an `.onnx` file or of a folder that holds one, or `organisation/name` on the Hugging Face hub
   * @throws GranuleError `FILE_NOT_FOUND`, `MODEL_RUNTIME_MISSING`, `MODEL_INVALID` naming the file and what is wrong,
   * `INVALID_ARGUMENT`, `DIMENSION_INVALID` or `LENGTH_MISMATCH` for options that do not fit
   */
  static async open(model: string, options: OnnxImageEncoderOptions = {}): Promise<OnnxImageEncoder> {
    const { batchSize = 8, patchProjection } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new GranuleError('INVALID_ARGUMENT', `batchSize must be a positive integer, got ${batchSize}`, {
        batchSize,
      });
    }
    const files = await resolveModelFiles(model, options);
    const config = await readConfig(files, 'preprocessor_config.json');
    const session = await OnnxSession.open(files.model, options);
    try {
      const input = onlyInput(session);
      const preprocessing = resolvePreprocessing(session, input, config, options.preprocessing ?? {});
      const fixed = input.shape![0];
      const batch =
        typeof fixed === 'number' ? { batchSize: fixed, fixedBatch: true } : { batchSize, fixedBatch: false };
      const trial = await session.run(
        { [input.name]: pictures([], batch.fixedBatch ? batch.batchSize : 1, preprocessing) },
        session.outputs.map((output) => output.name),
      );
      const outputs = chooseImageOutputs(session, trial, preprocessing.width, preprocessing.height, options);
      if (patchProjection !== undefined) requireProjection(patchProjection, outputs.tokens?.dims[2] ?? 0);
      const version = await onnxModelVersion(
        [session.file],
        { preprocessing, outputs, normalize: options.normalize ?? true },
        patchProjection === undefined ? [] : [patchProjection.mean, patchProjection.components],
      );
      return new OnnxImageEncoder(session, options, {
        input: input.name,
        preprocessing,
        outputs,
        version,
        ...batch,
      });
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private constructor(session: OnnxSession, options: OnnxImageEncoderOptions, plan: Plan) {
    const { embedding, tokens, grid } = plan.outputs;
    const tokenDimension = tokens?.dims[2] ?? 0;
    this.name = options.name ?? `onnx:${basename(session.file, '.onnx')}`;
    this.version = plan.version;
    this.dimension = embedding?.dims[1] ?? tokenDimension;
    this.patchDimension = grid === undefined ? 0 : (options.patchProjection?.dimension ?? tokenDimension);
    this.preprocessing = plan.preprocessing;
    this.#session = session;
    this.#plan = plan;
    this.#normalize = options.normalize ?? true;
    this.#projection = options.patchProjection;
  }

  /**
   * @throws GranuleError `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`, `NOT_FINITE` where the model gives NaN or infinity,
   * `ABORTED`, `ENCODER_CLOSED`, and what `OnnxSession.run` throws
   */
  async encodeImages(images: readonly ImageInput[], options: EncodeOptions = {}): Promise<ImageEmbeddings> {
    const { vectors, patches, patchQuads } = await this.#encode(images, options);
    return patches === undefined || patchQuads === undefined ? { vectors } : { vectors, patches, patchQuads };
  }

  /** One view, number 0. Errors as for `encodeImages`. */
  async encodeQuery(image: ImageInput, options: EncodeOptions = {}): Promise<ImageQuery> {
    const { vectors, patches, patchQuads, viewQuads } = await this.#encode([image], options);
    if (patches === undefined || patchQuads === undefined) return { views: vectors, viewQuads };
    return {
      views: vectors,
      viewQuads,
      patchesOf: async (views) => {
        if (views.some((view) => view !== 0)) {
          throw new GranuleError(
            'INVALID_ARGUMENT',
            `this query has one view, number 0; asked for ${views.join(', ')}`,
          );
        }
        return {
          patches: {
            data: repeat(patches.data, views.length),
            lengths: new Uint32Array(views.length).fill(patches.lengths[0]!),
            columns: patches.columns,
          },
          patchQuads: repeat(patchQuads, views.length),
        };
      },
    };
  }

  /** Frees the model; encoding afterwards fails with `ENCODER_CLOSED`. */
  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #encode(images: readonly ImageInput[], { signal }: EncodeOptions): Promise<ViewedEmbeddings> {
    const { input, outputs: plan, preprocessing, batchSize, fixedBatch } = this.#plan;
    const { dimension, patchDimension } = this;
    const patchCount = plan.grid === undefined ? 0 : plan.grid.rows * plan.grid.columns;
    const vectors = new Float32Array(images.length * dimension);
    const viewQuads = new Float32Array(images.length * 8);
    const patches = new Float32Array(images.length * patchCount * patchDimension);
    const patchQuads = new Float32Array(images.length * patchCount * 8);
    const fetches = new Set(
      [plan.embedding, plan.tokens].filter((output) => output !== undefined).map(({ name }) => name),
    );
    for (let first = 0; first < images.length; first += batchSize) {
      const batch = await Promise.all(
        images.slice(first, first + batchSize).map((image) => preprocessImage(image, preprocessing)),
      );
      const feed = pictures(batch, fixedBatch ? batchSize : batch.length, preprocessing);
      const outputs = await this.#session.run({ [input]: feed }, [...fetches], signal);
      for (let i = 0; i < batch.length; i++) {
        const { region } = batch[i]!;
        const image = first + i;
        const vector = vectors.subarray(image * dimension, (image + 1) * dimension);
        vector.set(imageVector(plan, outputs, i));
        finishRows(vector, dimension, this.#normalize, 'image', image);
        viewQuads.set(regionQuad(region), image * 8);
        if (plan.grid === undefined) continue;
        const size = patchCount * patchDimension;
        const rows = patches.subarray(image * size, (image + 1) * size);
        rows.set(await this.#project(imagePatches(plan, outputs, i)));
        finishRows(rows, patchDimension, this.#normalize, 'patch', image * patchCount);
        patchQuads.set(gridQuads(plan.grid, region), image * patchCount * 8);
      }
    }
    const viewed = { vectors: matrix(vectors, dimension), viewQuads };
    if (plan.grid === undefined) return viewed;
    const lengths = new Uint32Array(images.length).fill(patchCount);
    return { ...viewed, patches: { data: patches, lengths, columns: patchDimension }, patchQuads };
  }

  async #project(patches: Float32Array): Promise<Float32Array> {
    const projection = this.#projection;
    if (projection === undefined) return patches;
    const columns = projection.mean.length;
    const projected = new Float32Array((patches.length / columns) * projection.dimension);
    for (let start = 0; start < patches.length; start += PROJECTED_AT_ONCE * columns) {
      const rows = patches.subarray(start, start + PROJECTED_AT_ONCE * columns);
      projected.set(projectRows(rows, projection), (start / columns) * projection.dimension);
      await new Promise(setImmediate);
    }
    return projected;
  }
}

function onlyInput(session: OnnxSession): OnnxValueInfo {
  const [input, ...others] = session.inputs;
  if (input !== undefined && others.length === 0) return input;
  const names = session.inputs.map(({ name }) => name);
  throw new GranuleError(
    'MODEL_INVALID',
    `the model ${session.file} needs ${names.length} inputs (${names.join(', ')}); an image encoder has one, the picture`,
    { file: session.file, inputs: names },
  );
}

/** The input tensor for a batch; places without a picture hold zeros. */
function pictures(
  batch: readonly PreprocessedImage[],
  count: number,
  { width, height, layout }: ImagePreprocessing,
): OnnxTensor {
  const data = new Float32Array(count * 3 * width * height);
  for (let i = 0; i < batch.length; i++) data.set(batch[i]!.values, i * 3 * width * height);
  return {
    type: 'float32',
    data,
    dims: layout === 'nchw' ? [count, 3, height, width] : [count, height, width, 3],
  };
}

function repeat(data: Float32Array, times: number): Float32Array {
  const repeated = new Float32Array(times * data.length);
  for (let i = 0; i < times; i++) repeated.set(data, i * data.length);
  return repeated;
}

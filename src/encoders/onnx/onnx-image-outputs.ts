import { GranuleError } from '../../errors.js';
import { chooseOutput, type OnnxOutput } from './onnx-outputs.js';
import type { OnnxSession, OnnxTensor } from './onnx-session.js';
import { inferPatchGrid, type PatchGrid } from './patch-grid.js';

const EMBEDDING_NAMES = ['embedding', 'embeddings', 'image_embeds', 'image_features', 'pooler_output'];
const TOKEN_NAMES = ['patch_features', 'last_hidden_state'];

/** What the user says about a model's outputs. */
export interface ImageOutputOptions {
  /** Output of rank 2 that is the image's vector; default: the only one, or one with a usual name. */
  readonly embeddingOutput?: string;
  /**
   * How the image's vector comes from the tokens where no output of rank 2 gives it: the first token, or the mean of the
   * patches; default `cls` where tokens precede the patches, else `mean`.
   */
  readonly pooling?: 'cls' | 'mean';
  /** Output of rank 3 that holds the patches; default: the only one, or one with a usual name; `false`: no patches. */
  readonly patchOutput?: string | false;
  /** Leading tokens that are no patches (class token, registers); default: 0 or 1, whichever leaves a grid. */
  readonly prefixTokens?: number;
}

/** Where an image's vector and its patches lie in the outputs of a model. */
export interface ImageOutputs {
  /** Output [N, D]; absent where the vector is pooled from the tokens. */
  readonly embedding?: OnnxOutput;
  /** Output [N, T, D'], of which the first `prefixTokens` are no patches. */
  readonly tokens?: OnnxOutput;
  readonly prefixTokens: number;
  readonly pooling: 'cls' | 'mean';
  /** The grid of the patches; absent where none are wanted. */
  readonly grid?: PatchGrid;
}

/**
 * Finds the image's vector and its patches in the outputs of a trial run.
 *
 * @param width - pixels of the model's input
 * @throws GranuleError `MODEL_INVALID`
 */
export function chooseImageOutputs(
  session: OnnxSession,
  trial: Readonly<Record<string, OnnxTensor>>,
  width: number,
  height: number,
  options: ImageOutputOptions,
): ImageOutputs {
  const { patchOutput, embeddingOutput } = options;
  const embedding = chooseOutput(session, trial, {
    role: 'embedding',
    rank: 2,
    name: embeddingOutput,
    preferred: EMBEDDING_NAMES,
  });
  const wantsPatches = patchOutput !== false;
  const tokens =
    wantsPatches || embedding === undefined
      ? chooseOutput(session, trial, {
          role: 'patch features',
          rank: 3,
          name: patchOutput === false ? undefined : patchOutput,
          preferred: TOKEN_NAMES,
        })
      : undefined;
  if (tokens === undefined) {
    if (embedding !== undefined) return { embedding, prefixTokens: 0, pooling: 'mean' };
    throw new GranuleError(
      'MODEL_INVALID',
      `the model ${session.file} has no float32 output of rank 2 (embedding) or 3 (patch features); its outputs: ` +
        Object.entries(trial)
          .map(([name, { type, dims }]) => `${name} ${type}[${dims.join(',')}]`)
          .join(', '),
      { file: session.file },
    );
  }
  const inferred = inferPatchGrid(tokens.dims[1]!, width, height, options.prefixTokens);
  if (inferred === undefined && wantsPatches) {
    throw new GranuleError(
      'MODEL_INVALID',
      `the model ${session.file} has the wrong dimension in output '${tokens.name}': ${tokens.dims[1]} tokens less ` +
        `${options.prefixTokens ?? '0 or 1'} make no grid over ${width} x ${height} pixels; say how many are no patches ` +
        'by prefixTokens, or set patchOutput to false',
      { file: session.file, output: tokens.name },
    );
  }
  const prefixTokens = inferred?.prefixTokens ?? options.prefixTokens ?? 0;
  return {
    ...(embedding === undefined ? {} : { embedding }),
    tokens,
    prefixTokens,
    pooling: options.pooling ?? (prefixTokens > 0 ? 'cls' : 'mean'),
    ...(wantsPatches && inferred !== undefined ? { grid: inferred.grid } : {}),
  };
}

/** The vector of image `image` of a run; not normalised. */
export function imageVector(
  plan: ImageOutputs,
  outputs: Readonly<Record<string, OnnxTensor>>,
  image: number,
): Float32Array {
  if (plan.embedding !== undefined) return itemOf(outputs[plan.embedding.name]!, image);
  const tokens = itemOf(outputs[plan.tokens!.name]!, image);
  const columns = plan.tokens!.dims[2]!;
  if (plan.pooling === 'cls') return tokens.subarray(0, columns);
  const sums = new Float64Array(columns);
  for (let i = plan.prefixTokens * columns; i < tokens.length; i++) sums[i % columns]! += tokens[i]!;
  const patches = tokens.length / columns - plan.prefixTokens;
  return Float32Array.from(sums, (sum) => sum / patches);
}

/** The patches of image `image` of a run, row by row, without the leading tokens; not normalised. */
export function imagePatches(
  plan: ImageOutputs,
  outputs: Readonly<Record<string, OnnxTensor>>,
  image: number,
): Float32Array {
  return itemOf(outputs[plan.tokens!.name]!, image).subarray(plan.prefixTokens * plan.tokens!.dims[2]!);
}

/** Item `item` of the first dimension, as a view. */
function itemOf({ data, dims }: OnnxTensor, item: number): Float32Array {
  const size = data.length / dims[0]!;
  return (data as Float32Array).subarray(item * size, (item + 1) * size);
}

/**
 * What the addon does for training: towers forwards and backwards, and the optimiser's steps; a part of `addon-types.ts`.
 *
 * @module
 */
import type { NativeCancelToken } from './native-cancel-token.js';

/** Kinds of towers on the border. */
export const TOWER_KIND_CODES = { linear: 0, 'low-rank': 1, mlp: 2 } as const;

/** How a tower maps its inputs. */
export type TowerKind = keyof typeof TOWER_KIND_CODES;

export interface NativeTowerShape {
  kind: (typeof TOWER_KIND_CODES)[TowerKind];
  input: number;
  /** The rank, or the hidden units; 0 for a linear tower. */
  hidden: number;
  output: number;
  /** Of a low-rank tower. */
  scale: number;
  /** Of an mlp, whose output is then as long as its input. */
  residual: boolean;
  normalise: boolean;
}

/** The tensors of a tower, or their gradients; undefined where its kind has none. A linear tower has those of the output only. */
export interface NativeTowerTensors {
  /** hidden x input */
  hiddenWeight: Float32Array | undefined;
  hiddenBias: Float32Array | undefined;
  /** output x hidden; output x input of a linear tower */
  outputWeight: Float32Array;
  outputBias: Float32Array | undefined;
}

/** What a forward pass fills in, and the backward pass reads. */
export interface NativeTowerActivations {
  /** rows x output */
  outputs: Float32Array;
  /** rows x hidden; undefined: not kept, or none */
  hidden: Float32Array | undefined;
  /** One per row, before normalisation; undefined: not kept, or none */
  norms: Float64Array | undefined;
}

export interface NativeTrainingOptions {
  /** Most threads that the call may use; 0 means one per core. */
  threads: number;
  cancel: NativeCancelToken | undefined;
}

/** A tensor of one step of AdamW: four arrays of one length. */
export interface NativeAdamWTensor {
  values: Float32Array;
  gradient: Float32Array;
  first: Float32Array;
  second: Float32Array;
  decay: number;
}

export interface NativeAdamWOptions {
  rate: number;
  firstDecay: number;
  secondDecay: number;
  epsilon: number;
  /** One minus the power of the decay at this step. */
  firstCorrection: number;
  secondCorrection: number;
  /** Infinity: no clipping. */
  clip: number;
  threads: number;
}

/** Who looks for whom, on the border. */
export const CONTRAST_DIRECTION_CODES = { 'query-to-document': 0, 'document-to-query': 1, both: 2 } as const;

/** Which side of a contrast looks for its partner among all of the other. */
export type ContrastDirection = keyof typeof CONTRAST_DIRECTION_CODES;

export interface NativeContrastOptions extends NativeTrainingOptions {
  dimension: number;
  /** At most 1e30. */
  temperature: number;
  direction: (typeof CONTRAST_DIRECTION_CODES)[ContrastDirection];
  /** One per document; undefined: each is alone */
  groups: Uint32Array | undefined;
  /** One per query; undefined: all 1 */
  weights: Float64Array | undefined;
}

/** Which documents queries look for; undefined: document i for query i, and all others are negatives. */
export interface NativeInBatchOptions extends NativeContrastOptions {
  /** One per query */
  positives: Uint32Array | undefined;
  /** Per query, where its part of `excluded` ends */
  excludedEnds: Uint32Array | undefined;
  excluded: Uint32Array | undefined;
}

/** Frozen vectors and the tower that maps them; without one they are compared as they are. */
export interface NativeContrastSide {
  shape: NativeTowerShape | undefined;
  parameters: NativeTowerTensors | undefined;
  gradients: NativeTowerTensors | undefined;
  inputs: Float32Array;
}

/** Scores of lists of vectors, on the border. */
export const PATCH_SCORE_CODES = { 'max-sim': 0, 'mean-max-sim': 1, filip: 2, pacl: 3, sparc: 4 } as const;

/** What a list of words and a list of patches are compared by. */
export type NativePatchScore = keyof typeof PATCH_SCORE_CODES;

export interface NativePatchContrastOptions extends NativeContrastOptions {
  score: (typeof PATCH_SCORE_CODES)[NativePatchScore];
  /** Of `pacl`. */
  attentionTemperature: number;
}

/** Vectors of lists, one list after the other, and how many each list has. */
export interface NativeVectorLists {
  data: Float32Array;
  lengths: Uint32Array;
}

export interface NativeContrast {
  loss: number;
  temperatureGradient: number;
}

export interface NativePatchContrast extends NativeContrast {
  /** 0 where there is no such temperature. */
  attentionTemperatureGradient: number;
}

/** The calls of training. */
export interface NativeTraining {
  /** Maps whole rows of inputs; fills `result`. Rejects with `NOT_FINITE` for an input, or an output beyond float32. */
  towerForward(
    shape: NativeTowerShape,
    parameters: NativeTowerTensors,
    inputs: Float32Array,
    options: NativeTrainingOptions,
    result: NativeTowerActivations,
  ): Promise<void>;
  /**
   * Adds to `gradients`, and fills `inputGradient` where there is one; no two calls may add to the same at a time. Rejects with
   * `NOT_FINITE` for an output gradient before anything is added.
   */
  towerBackward(
    shape: NativeTowerShape,
    parameters: NativeTowerTensors,
    gradients: NativeTowerTensors,
    inputs: Float32Array,
    activations: NativeTowerActivations,
    outputGradient: Float32Array,
    options: NativeTrainingOptions,
    inputGradient: Float32Array | undefined,
  ): Promise<void>;
  /**
   * One step of AdamW; resolves to the norm of all gradients before clipping. Rejects with `NOT_FINITE`, the number of the tensor
   * as `row` and the place in it as `column`, before anything is changed.
   */
  adamwStep(tensors: NativeAdamWTensor[], options: NativeAdamWOptions): Promise<number>;
  /** Fills `gradients`. Rejects with `NOT_FINITE` for a vector, a similarity, the loss or a gradient. */
  inBatchContrast(
    queries: Float32Array,
    documents: Float32Array,
    options: NativeInBatchOptions,
    gradients: { queries: Float32Array; documents: Float32Array },
  ): Promise<NativeContrast>;
  /**
   * Both forward passes, `inBatchContrast` and both backward passes, which add to the gradients of `query`, then of `document`. Rejects as
   * they do, with `NOT_FINITE` before anything is added.
   */
  inBatchContrastOfTowers(
    query: NativeContrastSide,
    document: NativeContrastSide,
    options: NativeInBatchOptions,
  ): Promise<NativeContrast>;
  /** As `inBatchContrast`, of lists none of which is empty; `gradients` are as long as the vectors. */
  patchContrast(
    texts: NativeVectorLists,
    images: NativeVectorLists,
    options: NativePatchContrastOptions,
    gradients: { words: Float32Array; patches: Float32Array },
  ): Promise<NativePatchContrast>;
}

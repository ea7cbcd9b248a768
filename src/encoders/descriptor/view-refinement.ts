import { setImmediate } from 'node:timers/promises';
import { GranuleError } from '../../errors.js';
import type { RaggedMatrix } from '../../vectors/matrix.js';
import type { EncodeOptions, PatchEmbeddings, RefinedViews } from '../encoder.js';
import type { ColourPyramid } from './colour-pyramid.js';
import {
  CELL_SOFTNESS,
  coloursOfPatches,
  describeQueryPatches,
  PATCH_COUNT,
  PATCH_DIMENSION,
  PATCHES,
  VIEW_CELLS,
} from './patch-descriptor.js';
import { FRAME_SIZE, frameAt, frameQuads, frameShare } from './view-frame.js';
import { type Light, type Registration, register, takeLightOff } from './view-registration.js';

const COARSE = { cells: PATCHES, softness: 0.8, steps: 8 };
const FINE = { cells: VIEW_CELLS, softness: CELL_SOFTNESS, steps: 5 };
const EXCHANGE_STEPS = 2;
/** Pairs that are fitted at full detail. */
const FINE_PAIRS = 10;
/** Each of the best `EXCHANGE_TARGETS` images is also tried from the frames of the best `EXCHANGE_FRAMES` pairs. */
const EXCHANGE_TARGETS = 6;
const EXCHANGE_FRAMES = 3;
const VIEW_NUMBERS = PATCH_COUNT * PATCH_DIMENSION;
const COARSE_FACTOR = VIEW_CELLS / PATCHES;

/** One view with the image it is fitted to, and the best fit so far. */
interface Pair {
  readonly patches: Float32Array;
  readonly target: Float32Array;
  fit: Registration;
  /** Patch vectors of the view in that fit. */
  vectors: Float32Array;
  /** Sum over patches of the similarity with the image's patch at the same place. */
  evidence: number;
}

/**
 * Patch vectors of views as they are, except that their light is made even: the gain is such that the root mean square
 * of the colours is that of a picture in plain light.
 */
export function patchesOfViews(
  pyramid: ColourPyramid,
  frames: Float64Array,
  views: readonly number[],
): PatchEmbeddings {
  const chosen = new Float64Array(views.length * FRAME_SIZE);
  const patches = new Float32Array(views.length * VIEW_NUMBERS);
  for (const [i, view] of views.entries()) {
    const frame = frameAt(frames, view);
    chosen.set(frame, i * FRAME_SIZE);
    patches.set(describeView(pyramid, frame, undefined), i * VIEW_NUMBERS);
  }
  return embeddings(pyramid, chosen, patches);
}

/**
 * Fits view `views[i]` to item i of `targets`, for all i.
 *
 * Every pair is fitted coarsely (8 x 8 colours), the best ten then finely (24 x 24). What an image's stripes leave
 * open, such as how far they reach along themselves, is settled by the other images: the best ones are also fitted from
 * the frames where the others were found, and each pair keeps its best fit.
 *
 * @throws GranuleError `DIMENSION_INVALID` or `LENGTH_MISMATCH` where the targets are not this encoder's patches, one
 *   item per view; `ABORTED`
 */
export async function refineViews(
  pyramid: ColourPyramid,
  frames: Float64Array,
  views: readonly number[],
  targets: RaggedMatrix,
  options: EncodeOptions,
): Promise<RefinedViews> {
  checkTargets(views, targets);
  const pairs: Pair[] = [];
  for (const [i, view] of views.entries()) {
    const patches = targets.data.subarray(i * VIEW_NUMBERS, (i + 1) * VIEW_NUMBERS);
    const target = coloursOfPatches(patches);
    const fit = register(pyramid, frameAt(frames, view), meanColours(target), COARSE);
    const pair: Pair = { patches, target, fit, vectors: new Float32Array(), evidence: -Infinity };
    keepBetter(pyramid, pair, fit);
    pairs.push(pair);
    await breathe(i, options.signal);
  }
  for (const [i, pair] of best(pairs, FINE_PAIRS).entries()) {
    keepBetter(pyramid, pair, fitFinely(pyramid, pair, pair.fit, FINE.steps));
    await breathe(i, options.signal);
  }
  const leaders = best(pairs, EXCHANGE_FRAMES).map(({ fit }) => fit);
  for (const [i, pair] of best(pairs, EXCHANGE_TARGETS).entries()) {
    for (const leader of leaders.filter((fit) => fit !== pair.fit)) {
      keepBetter(pyramid, pair, fitFinely(pyramid, pair, leader, EXCHANGE_STEPS));
    }
    await breathe(i, options.signal);
  }
  const refined = new Float64Array(views.length * FRAME_SIZE);
  const vectors = new Float32Array(views.length * VIEW_NUMBERS);
  for (const [i, pair] of pairs.entries()) {
    refined.set(pair.fit.frame, i * FRAME_SIZE);
    vectors.set(pair.vectors, i * VIEW_NUMBERS);
  }
  return {
    ...embeddings(pyramid, refined, vectors),
    viewQuads: frameQuads(refined, pyramid.width, pyramid.height),
  };
}

function fitFinely(pyramid: ColourPyramid, pair: Pair, from: Registration, steps: number): Registration {
  return register(pyramid, from.frame, pair.target, { ...FINE, steps }, from.light);
}

function keepBetter(pyramid: ColourPyramid, pair: Pair, fit: Registration): void {
  const vectors = describeView(pyramid, fit.frame, fit.light);
  let evidence = 0;
  for (let i = 0; i < VIEW_NUMBERS; i++) {
    evidence += vectors[i]! * pair.patches[i]!;
  }
  if (evidence > pair.evidence) {
    pair.fit = fit;
    pair.vectors = vectors;
    pair.evidence = evidence;
  }
}

function best(pairs: readonly Pair[], count: number): Pair[] {
  return [...pairs].sort((a, b) => b.evidence - a.evidence).slice(0, count);
}

/**
 * Patch vectors of one view in the given light, or made even. A view that covers more of the picture explains more of
 * it: the vectors' weight is the fourth root of the share of the picture that the view covers.
 */
function describeView(pyramid: ColourPyramid, frame: Float64Array, light: Light | undefined): Float32Array {
  const colours = new Float32Array(VIEW_CELLS * VIEW_CELLS * 3);
  pyramid.sampleGrid(frame, 0, VIEW_CELLS, colours, CELL_SOFTNESS);
  takeLightOff(colours, VIEW_CELLS, light ?? evenLight(colours));
  const vectors = new Float32Array(VIEW_NUMBERS);
  describeQueryPatches(colours, frameShare(frame, pyramid.width, pyramid.height) ** 0.25, vectors, 0);
  return vectors;
}

/** Root mean square of colours in plain light. */
const PLAIN_LEVEL = 0.6;

function evenLight(colours: Float32Array): Light {
  const square = colours.reduce((sum, value) => sum + value * value, 0) / colours.length;
  return { gain: Math.max(0.05, Math.sqrt(square)) / PLAIN_LEVEL, slopeX: 0, slopeY: 0, saturation: 1 };
}

/** Means of 3 x 3 colours: 8 x 8 of 24 x 24. */
function meanColours(colours: Float32Array): Float32Array {
  const means = new Float32Array(PATCH_COUNT * 3);
  for (let cell = 0; cell < VIEW_CELLS * VIEW_CELLS; cell++) {
    const row = Math.floor(cell / VIEW_CELLS / COARSE_FACTOR);
    const column = Math.floor((cell % VIEW_CELLS) / COARSE_FACTOR);
    for (let channel = 0; channel < 3; channel++) {
      means[(row * PATCHES + column) * 3 + channel]! += colours[cell * 3 + channel]! / COARSE_FACTOR ** 2;
    }
  }
  return means;
}

function embeddings(pyramid: ColourPyramid, frames: Float64Array, data: Float32Array): PatchEmbeddings {
  const lengths = new Uint32Array(frames.length / FRAME_SIZE).fill(PATCH_COUNT);
  return {
    patches: { data, lengths, columns: PATCH_DIMENSION },
    patchQuads: frameQuads(frames, pyramid.width, pyramid.height, PATCHES),
  };
}

function checkTargets(views: readonly number[], targets: RaggedMatrix): void {
  if (targets.columns !== PATCH_DIMENSION) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `targets have vectors of ${targets.columns} numbers instead of ${PATCH_DIMENSION}`,
      { columns: targets.columns, expected: PATCH_DIMENSION },
    );
  }
  if (targets.lengths.length !== views.length || targets.lengths.some((length) => length !== PATCH_COUNT)) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `targets must be ${views.length} items of ${PATCH_COUNT} patches, one item per view`,
      { views: views.length, targets: targets.lengths.length },
    );
  }
}

/** Lets other work run between fits, and stops where that is wanted. */
async function breathe(step: number, signal: AbortSignal | undefined): Promise<void> {
  if (step % 2 === 1) {
    await setImmediate();
  }
  if (signal?.aborted) {
    throw new GranuleError('ABORTED', 'encoding was aborted', {}, { cause: signal.reason });
  }
}

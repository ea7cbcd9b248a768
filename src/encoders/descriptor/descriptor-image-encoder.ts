import { setImmediate } from 'node:timers/promises';
import { GranuleError } from '../../errors.js';
import { ownSpec } from '../../threads/own-spec.js';
import type { ThreadSpec } from '../../threads/thread-spec.js';
import { matrix, type RaggedMatrix } from '../../vectors/matrix.js';
import type { EncodeOptions, ImageEmbeddings, ImageEncoder, ImageInput, ImageQuery } from '../encoder.js';
import { readPixelImage } from '../pixel-image.js';
import { UseCount } from '../use-count.js';
import { ColourPyramid } from './colour-pyramid.js';
import { describeLayout, LAYOUT_CELLS, LAYOUT_DIMENSION, LAYOUT_SOFTNESS } from './layout-descriptor.js';
import {
  CELL_SOFTNESS,
  describeIndexedPatches,
  PATCH_COUNT,
  PATCH_DIMENSION,
  PATCHES,
  VIEW_CELLS,
} from './patch-descriptor.js';
import { SpareArrays } from './spare-arrays.js';
import { frameCount, frameQuads } from './view-frame.js';
import { patchesOfViews, refineViews } from './view-refinement.js';
import { viewWindows, WINDOW_WIDTHS } from './view-windows.js';

/** Pixels at which images are looked at. */
export const WORKING_PIXELS = 320 * 240;

/** Least width of a window, as a share of the picture's: below it, so many places are possible that few are looked at. */
const LEAST_WIDTH = 0.05;
const MOST_WIDTHS = 32;

/** How pictures are looked at. */
export interface DescriptorImageEncoderOptions {
  /**
   * Widths of the windows through which a query is looked at, as shares of the picture's width: 1 to 32 numbers from 0.05 to 1.
   * Objects are found that are from a tenth narrower than the least to a tenth wider than the greatest, where neighbours
   * are at most a quarter apart. There are at most 6000 windows: more widths, and smaller ones, leave wider steps between
   * them, and take more time. Indexed images do not depend on it.
   *
   * Default 0.45, 0.53, 0.62, 0.72, 0.83: one object that takes half of the picture.
   */
  readonly widths?: readonly number[];
}

/**
 * An image encoder that needs no weights: descriptors computed from pixels.
 *
 * - An image's vector is the layout of its colours on an 8 x 8 grid, nearly free of light; see `describeLayout`.
 *   192 numbers, of length 1 (0 for an image of one grey), so that inner products are cosines.
 * - Its patches are the cells of an 8 x 8 grid; a patch's vector holds colour and gradient statistics and its place,
 *   and the inner product of a query's patch with an indexed one is 1 - |x - y|^2 / 2; see `describeIndexedPatches`.
 * - A query is looked at through about 2800 windows; see `viewWindows`. It finds objects that stand upright within about
 *   20 degrees, are not much covered, and take 40 to 90 % of the picture's width; other `widths` find others.
 * - `refine` fits chosen windows to chosen indexed images; see `refineViews`.
 *
 * Images are scaled to about 320 x 240 pixels first. Results depend on the image and on the installed image library only.
 */
export class DescriptorImageEncoder implements ImageEncoder {
  readonly name = 'granule-descriptor';
  readonly version = '1';
  readonly dimension = LAYOUT_DIMENSION;
  readonly patchDimension = PATCH_DIMENSION;
  readonly spec: ThreadSpec | undefined;
  readonly #widths: readonly number[];
  readonly #spare = new SpareArrays();

  /** @throws GranuleError `INVALID_ARGUMENT` for widths other than 1 to 32 numbers from 0.05 to 1 */
  constructor({ widths = WINDOW_WIDTHS }: DescriptorImageEncoderOptions = {}) {
    this.#widths = checkedWidths(widths);
    this.spec = ownSpec('encoders/descriptor/descriptor-image-encoder.js', 'DescriptorImageEncoder', {
      widths: this.#widths,
    });
  }

  /**
   * Encodes images as they are indexed: each whole, with its 64 patches row by row.
   *
   * @throws GranuleError `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`, `ABORTED`
   */
  async encodeImages(images: readonly ImageInput[], options: EncodeOptions = {}): Promise<ImageEmbeddings> {
    const vectors = new Float32Array(images.length * LAYOUT_DIMENSION);
    const patches = new Float32Array(images.length * PATCH_COUNT * PATCH_DIMENSION);
    const patchQuads = new Float32Array(images.length * PATCH_COUNT * 8);
    const layout = new Float32Array(LAYOUT_CELLS * LAYOUT_CELLS * 3);
    const colours = new Float32Array(VIEW_CELLS * VIEW_CELLS * 3);
    for (const [i, image] of images.entries()) {
      throwIfAborted(options.signal);
      const pyramid = await this.#pyramid(image);
      const { width, height } = pyramid;
      const frame = Float64Array.of(width / 2, height / 2, width / 2, 0, 0, height / 2);
      pyramid.sampleGrid(frame, 0, LAYOUT_CELLS, layout, LAYOUT_SOFTNESS);
      describeLayout(layout, vectors, i * LAYOUT_DIMENSION);
      pyramid.sampleGrid(frame, 0, VIEW_CELLS, colours, CELL_SOFTNESS);
      describeIndexedPatches(colours, patches, i * PATCH_COUNT * PATCH_DIMENSION);
      patchQuads.set(frameQuads(frame, width, height, PATCHES), i * PATCH_COUNT * 8);
      this.#free(pyramid);
    }
    return {
      vectors: matrix(vectors, LAYOUT_DIMENSION),
      patches: ragged(patches, images.length),
      patchQuads,
    };
  }

  /**
   * Encodes a picture through its windows; patches and refined windows are computed on demand.
   *
   * @throws GranuleError `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`, `ABORTED`
   */
  async encodeQuery(image: ImageInput, options: EncodeOptions = {}): Promise<ImageQuery> {
    throwIfAborted(options.signal);
    const pyramid = await this.#pyramid(image);
    const { width, height } = pyramid;
    const frames = viewWindows(width, height, this.#widths);
    const count = frameCount(frames);
    const vectors = new Float32Array(count * LAYOUT_DIMENSION);
    const layout = new Float32Array(LAYOUT_CELLS * LAYOUT_CELLS * 3);
    for (let view = 0; view < count; view++) {
      pyramid.sampleGrid(frames, view, LAYOUT_CELLS, layout, LAYOUT_SOFTNESS);
      describeLayout(layout, vectors, view * LAYOUT_DIMENSION);
      if (view % 256 === 255) {
        await setImmediate();
        throwIfAborted(options.signal);
      }
    }
    const uses = new UseCount(() => this.#free(pyramid));
    return {
      views: matrix(vectors, LAYOUT_DIMENSION),
      viewQuads: frameQuads(frames, width, height),
      patchesOf: (views) => uses.during(() => patchesOfViews(pyramid, frames, views)),
      refine: (views, targets, refineOptions = {}) =>
        uses.during(() => refineViews(pyramid, frames, views, targets, refineOptions)),
      release: () => uses.release(),
    };
  }

  async #pyramid(image: ImageInput): Promise<ColourPyramid> {
    const allocate = (length: number) => this.#spare.take(length);
    return new ColourPyramid(await readPixelImage(image, WORKING_PIXELS, allocate), allocate);
  }

  #free(pyramid: ColourPyramid): void {
    for (const array of pyramid.arrays) this.#spare.give(array);
  }
}

function checkedWidths(widths: readonly number[]): readonly number[] {
  const isWidth = (width: unknown) => typeof width === 'number' && width >= LEAST_WIDTH && width <= 1;
  if (Array.isArray(widths) && widths.length >= 1 && widths.length <= MOST_WIDTHS && widths.every(isWidth)) {
    return [...widths];
  }
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `widths must be 1 to ${MOST_WIDTHS} numbers from ${LEAST_WIDTH} to 1, got ${JSON.stringify(widths)}`,
  );
}

function ragged(data: Float32Array, items: number): RaggedMatrix {
  return { data, lengths: new Uint32Array(items).fill(PATCH_COUNT), columns: PATCH_DIMENSION };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new GranuleError('ABORTED', 'encoding was aborted', {}, { cause: signal.reason });
  }
}

import { ColourPyramid } from '../../encoders/descriptor/colour-pyramid.js';
import { WORKING_PIXELS } from '../../encoders/descriptor/descriptor-image-encoder.js';
import {
  describeLayout,
  LAYOUT_CELLS,
  LAYOUT_DIMENSION,
  LAYOUT_SOFTNESS,
} from '../../encoders/descriptor/layout-descriptor.js';
import { FRAME_SIZE, frameCount, frameQuads } from '../../encoders/descriptor/view-frame.js';
import { viewWindows } from '../../encoders/descriptor/view-windows.js';
import type { ImageInput, Quads } from '../../encoders/encoder.js';
import { readPixelImage } from '../../encoders/pixel-image.js';
import type { FlatIndex } from '../../index/flat-index.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { FLAG_WINDOW_WIDTHS } from '../pictures/flag-windows.js';

/** Some of the windows through which one picture is looked at, as frozen features. */
export interface PictureViews {
  /** Two-letter codes of the flags in the picture. */
  readonly flags: readonly string[];
  /** Layout vectors, views x 192. */
  readonly vectors: Float32Array;
  /** The place of each view in the picture. */
  readonly quads: Quads;
  /** Per view the number of the flag that it shows most of, -1 for none. */
  readonly flagOf: Int8Array;
  /** Per flag the view that shows it best. */
  readonly best: readonly number[];
}

/** A made picture whose flags are known. */
export interface KnownFlags {
  readonly picture: ImageInput;
  readonly flags: readonly string[];
  /** The place of each flag. */
  readonly quads: Quads;
}

/** Views of each flag, the nearest. */
const NEAREST = 6;
/** Windows that are looked at beside them, drawn at random. */
const DRAWN = 320;
/** Of those, the ones that look most like other flags, and the first others. */
const CONFUSING = 24;
const OTHERS = 24;
/** A window shows a flag where its centre lies within this share of the flag's half sides. */
const WITHIN = 0.9;

/**
 * Looks at a picture through the windows that an encoder of queries uses, and keeps those that teach: of each flag the windows that lie
 * closest upon it, windows that look like a flag which is not in the picture, and some more.
 *
 * @param flagImages - layout vectors of all flags, by row
 * @param codes - the flags' two-letter codes, by row
 */
export async function sampleViews(
  { picture, flags, quads }: KnownFlags,
  flagImages: FlatIndex,
  codes: readonly string[],
  seed: string,
): Promise<PictureViews> {
  const random = new SeededRandom(`views ${seed}`);
  const pyramid = new ColourPyramid(await readPixelImage(picture, WORKING_PIXELS));
  const { width, height } = pyramid;
  const frames = viewWindows(width, height, FLAG_WINDOW_WIDTHS);
  const windows = frameQuads(frames, width, height);
  const nearest = flags.map((_, flag) =>
    nearestWindows(windows, quads.subarray(flag * 8, flag * 8 + 8), width, height),
  );
  const drawn = drawOthers(frameCount(frames), new Set(nearest.flat()), random);
  const looked = [...nearest.flat(), ...drawn];
  const vectors = layoutsOf(pyramid, frames, looked);
  const own = nearest.flat().length;
  const kept = [...looked.keys()].slice(0, own);
  kept.push(...(await confusing(vectors, own, flagImages, new Set(flags), codes)));
  const taken = new Set(kept);
  kept.push(...[...looked.keys()].filter((i) => !taken.has(i)).slice(0, OTHERS));
  const views: PictureViews = {
    flags,
    vectors: new Float32Array(kept.length * LAYOUT_DIMENSION),
    quads: new Float32Array(kept.length * 8),
    flagOf: new Int8Array(kept.length),
    best: flags.map((_, flag) => flag * NEAREST),
  };
  for (const [row, i] of kept.entries()) {
    const quad = windows.subarray(looked[i]! * 8, looked[i]! * 8 + 8);
    views.vectors.set(
      vectors.subarray(i * LAYOUT_DIMENSION, (i + 1) * LAYOUT_DIMENSION),
      row * LAYOUT_DIMENSION,
    );
    views.quads.set(quad, row * 8);
    views.flagOf[row] = flags.findIndex((_, flag) =>
      liesWithin(quad, quads.subarray(flag * 8, flag * 8 + 8)),
    );
  }
  return views;
}

/** The windows whose corners lie closest to a flag's, the closest first. */
function nearestWindows(windows: Quads, flag: Quads, width: number, height: number): number[] {
  const distances = Float64Array.from({ length: windows.length / 8 }, (_, window) => {
    let sum = 0;
    for (let corner = 0; corner < 4; corner++) {
      const at = window * 8 + corner * 2;
      sum += ((windows[at]! - flag[corner * 2]!) * width) ** 2;
      sum += ((windows[at + 1]! - flag[corner * 2 + 1]!) * height) ** 2;
    }
    return sum;
  });
  return [...distances.keys()].sort((a, b) => distances[a]! - distances[b]! || a - b).slice(0, NEAREST);
}

function drawOthers(count: number, taken: ReadonlySet<number>, random: SeededRandom): number[] {
  const drawn = new Set<number>();
  const wanted = Math.min(DRAWN, count - taken.size);
  while (drawn.size < wanted) {
    const window = random.integer(0, count - 1);
    if (!taken.has(window)) drawn.add(window);
  }
  return [...drawn];
}

function layoutsOf(pyramid: ColourPyramid, frames: Float64Array, views: readonly number[]): Float32Array {
  const colours = new Float32Array(LAYOUT_CELLS * LAYOUT_CELLS * 3);
  const vectors = new Float32Array(views.length * LAYOUT_DIMENSION);
  for (const [i, view] of views.entries()) {
    const frame = frames.subarray(view * FRAME_SIZE, (view + 1) * FRAME_SIZE);
    pyramid.sampleGrid(frame, 0, LAYOUT_CELLS, colours, LAYOUT_SOFTNESS);
    describeLayout(colours, vectors, i * LAYOUT_DIMENSION);
  }
  return vectors;
}

/** Of the views from `first` on those that look most like a flag that the picture does not show. */
async function confusing(
  vectors: Float32Array,
  first: number,
  flagImages: FlatIndex,
  shown: ReadonlySet<string>,
  codes: readonly string[],
): Promise<number[]> {
  const { rows, scores } = await flagImages.search(vectors.subarray(first * LAYOUT_DIMENSION), { k: 1 });
  return [...rows.keys()]
    .filter((i) => !shown.has(codes[rows[i]!]!))
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, CONFUSING)
    .map((i) => i + first);
}

/** Whether the centre of a window lies in the middle of a flag. */
function liesWithin(window: Quads, flag: Quads): boolean {
  const centre = (quad: Quads, axis: 0 | 1) =>
    (quad[axis]! + quad[axis + 2]! + quad[axis + 4]! + quad[axis + 6]!) / 4;
  const side = (from: number, to: number, axis: 0 | 1) => (flag[to * 2 + axis]! - flag[from * 2 + axis]!) / 2;
  const [x, y] = [centre(window, 0) - centre(flag, 0), centre(window, 1) - centre(flag, 1)];
  const [rightX, rightY] = [side(0, 1, 0), side(0, 1, 1)];
  const [downX, downY] = [side(0, 3, 0), side(0, 3, 1)];
  const area = rightX * downY - rightY * downX;
  const along = (x * downY - y * downX) / area;
  const across = (y * rightX - x * rightY) / area;
  return Math.abs(along) < WITHIN && Math.abs(across) < WITHIN;
}

import type { Quads } from '../../encoders/encoder.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { paintFlag, placeInCell, quadOf } from './flag-placement.js';
import { photograph } from './photograph.js';
import { type Canvas, paintClutter } from './picture-clutter.js';

/** What picture to make. */
export interface PictureOptions {
  readonly flagSvgPath: string;
  readonly seed: number | string;
  /** Pixels; where absent, width is drawn from 320 to 640. */
  readonly width?: number;
  /** Pixels; where absent, the shape is drawn from 4:3, 3:2, 16:9, 1:1 and 3:4. */
  readonly height?: number;
}

/** A made picture. */
export interface SynthesisedPicture {
  readonly jpeg: Uint8Array;
  /** Where the flag is: one quad. */
  readonly quad: Quads;
}

/**
 * Makes a photograph-like picture of a flag: the same bytes for the same options, up to the installed image library.
 *
 * The flag stands wholly inside the picture on a cluttered ground (plain colours, gradients, stripes, checks, textures,
 * shapes), 45 to 80 % of the picture's width (less only where it would not fit), rotated within +-15 degrees, sheared
 * within +-0.12, each number drawn evenly from its range. `photograph` says what the light and the camera add.
 */
export async function synthesisePicture(options: PictureOptions): Promise<SynthesisedPicture> {
  const random = new SeededRandom(options.seed);
  const drawnWidth = random.integer(320, 640);
  const drawnShape = random.pick([4 / 3, 4 / 3, 3 / 2, 16 / 9, 1, 3 / 4]);
  const width = options.width ?? drawnWidth;
  const height = options.height ?? Math.round(width / drawnShape);
  const canvas: Canvas = { width, height, pixels: new Float32Array(width * height * 3) };
  const stance = {
    rotation: random.uniform(-15, 15),
    shear: random.uniform(-0.12, 0.12),
    width: random.uniform(0.45, 0.8) * width,
  };
  const placement = placeInCell({ left: 0, top: 0, right: width, bottom: height }, stance, random);
  paintClutter(canvas, random);
  await paintFlag(canvas, options.flagSvgPath, placement);
  const jpeg = await photograph(canvas, placement, random);
  return { jpeg, quad: quadOf(placement, canvas) };
}

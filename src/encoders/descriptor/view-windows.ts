import { frameCount } from './view-frame.js';

/** Widths of windows, as shares of the picture's width. */
const WIDTHS = [0.45, 0.53, 0.62, 0.72, 0.83];
/** Heights of windows, as shares of their widths. */
const SHAPES = [0.75, 1];
/** Rotations of windows in degrees. */
const ROTATIONS = [-12, -4, 4, 12];
/** Step from window to window, as a share of the window's side. */
const STEP = 0.125;
/** Where a tall picture would give more views, the step grows. */
const MOST_VIEWS = 6000;
/** How far a window's corners may lie outside of the picture, as a share of the picture's side. */
const OVERHANG = 0.03;

/**
 * The frames through which a picture is looked at: the whole picture first, then windows in it over several widths,
 * shapes, rotations and places; about 2800 in a picture of shape 4:3, at most 6000.
 *
 * @param width - pixels
 * @param height - pixels
 * @returns view frames, see `view-frame.ts`
 */
export function viewWindows(width: number, height: number): Float64Array {
  let step = STEP;
  for (;;) {
    const frames = windows(width, height, step);
    if (frameCount(frames) <= MOST_VIEWS) {
      return frames;
    }
    step *= 1.3;
  }
}

function windows(width: number, height: number, step: number): Float64Array {
  const frames = [width / 2, height / 2, width / 2, 0, 0, height / 2];
  for (const share of WIDTHS) {
    for (const shape of SHAPES) {
      for (const degrees of ROTATIONS) {
        const cosine = Math.cos((degrees * Math.PI) / 180);
        const sine = Math.sin((degrees * Math.PI) / 180);
        const right = (share * width) / 2;
        const down = right * shape;
        const reachX = Math.abs(cosine) * right + Math.abs(sine) * down;
        const reachY = Math.abs(sine) * right + Math.abs(cosine) * down;
        for (const centreY of centres(reachY, height, 2 * step * down)) {
          for (const centreX of centres(reachX, width, 2 * step * right)) {
            frames.push(centreX, centreY, cosine * right, sine * right, -sine * down, cosine * down);
          }
        }
      }
    }
  }
  return Float64Array.from(frames);
}

/** Evenly spaced centres of windows that reach `reach` to both sides, in a picture of length `length`. */
function centres(reach: number, length: number, step: number): number[] {
  const room = length * (1 + 2 * OVERHANG) - 2 * reach;
  if (room < 0) {
    return [];
  }
  const gaps = Math.ceil(room / step);
  return Array.from({ length: gaps + 1 }, (_, i) => length / 2 + (gaps === 0 ? 0 : room * (i / gaps - 0.5)));
}

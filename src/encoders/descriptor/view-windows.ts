/** Widths of windows where none are given, as shares of the picture's width. */
export const WINDOW_WIDTHS: readonly number[] = [0.45, 0.53, 0.62, 0.72, 0.83];
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

/** Windows of one size, shape and rotation. */
interface WindowKind {
  readonly cosine: number;
  readonly sine: number;
  /** Half a width and half a height, in pixels. */
  readonly right: number;
  readonly down: number;
  /** From the first centre to the last. */
  readonly roomX: number;
  readonly roomY: number;
}

/**
 * The frames through which a picture is looked at: the whole picture first, then windows in it over several widths,
 * shapes, rotations and places; about 2800 in a picture of shape 4:3 with the default widths, at most 6000 of any.
 *
 * @param width - pixels
 * @param height - pixels
 * @param widths - of windows, as shares of the picture's width; at most a hundred, for more would not fit into 6000
 * @returns view frames, see `view-frame.ts`
 */
export function viewWindows(
  width: number,
  height: number,
  widths: readonly number[] = WINDOW_WIDTHS,
): Float64Array {
  const kinds = windowKinds(width, height, widths);
  let step = STEP;
  while (1 + countWindows(kinds, step) > MOST_VIEWS) step *= 1.3;
  const frames = [width / 2, height / 2, width / 2, 0, 0, height / 2];
  for (const { cosine, sine, right, down, roomX, roomY } of kinds) {
    const across = centres(width, roomX, 2 * step * right);
    for (const centreY of centres(height, roomY, 2 * step * down)) {
      for (const centreX of across) {
        frames.push(centreX, centreY, cosine * right, sine * right, -sine * down, cosine * down);
      }
    }
  }
  return Float64Array.from(frames);
}

/** Those that fit into the picture. */
function windowKinds(width: number, height: number, widths: readonly number[]): WindowKind[] {
  const kinds = widths.flatMap((share) =>
    SHAPES.flatMap((shape) =>
      ROTATIONS.map((degrees) => {
        const cosine = Math.cos((degrees * Math.PI) / 180);
        const sine = Math.sin((degrees * Math.PI) / 180);
        const right = (share * width) / 2;
        const down = right * shape;
        const reachX = Math.abs(cosine) * right + Math.abs(sine) * down;
        const reachY = Math.abs(sine) * right + Math.abs(cosine) * down;
        const roomX = width * (1 + 2 * OVERHANG) - 2 * reachX;
        const roomY = height * (1 + 2 * OVERHANG) - 2 * reachY;
        return { cosine, sine, right, down, roomX, roomY };
      }),
    ),
  );
  return kinds.filter(({ roomX, roomY }) => roomX >= 0 && roomY >= 0);
}

function countWindows(kinds: readonly WindowKind[], step: number): number {
  let count = 0;
  for (const { right, down, roomX, roomY } of kinds) {
    count += (gapsIn(roomX, 2 * step * right) + 1) * (gapsIn(roomY, 2 * step * down) + 1);
  }
  return count;
}

/** Evenly spaced centres in the middle of a picture of length `length`. */
function centres(length: number, room: number, step: number): number[] {
  const gaps = gapsIn(room, step);
  return Array.from({ length: gaps + 1 }, (_, i) => length / 2 + (gaps === 0 ? 0 : room * (i / gaps - 0.5)));
}

function gapsIn(room: number, step: number): number {
  return Math.ceil(room / step);
}

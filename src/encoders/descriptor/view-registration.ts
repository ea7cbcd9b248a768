import type { ColourPyramid } from './colour-pyramid.js';

/** How light turns an object's colours into a picture's: gain (a + b s + c t), and a factor on the chroma. */
export interface Light {
  readonly gain: number;
  readonly slopeX: number;
  readonly slopeY: number;
  readonly saturation: number;
}

/** How closely to look. */
export interface RegistrationDetail {
  /** Colours on a side that are compared. */
  readonly cells: number;
  /** See `ColourPyramid.sampleGrid`: softer colours draw a view to its place from further away. */
  readonly softness: number;
  readonly steps: number;
}

/** A view fitted to an indexed image. */
export interface Registration {
  /** One view frame. */
  readonly frame: Float64Array;
  readonly light: Light;
}

const POSE = 6;
const PARAMETERS = POSE + 4;
/** Differences beyond this count less and less: cut-off colours, things in front. */
const ROBUST_SCALE = 0.12;
/** Standard deviations of the parameters before anything is seen: shift, stretch and shear as shares of the view's half side; light. */
const PRIOR = [0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.4, 0.3, 0.3, 0.2];
const PRIOR_WEIGHT = 0.0004;

/**
 * Fits a view's place, shape and light to an indexed image by Gauss-Newton steps.
 *
 * The image's colours T at (s, t) in [-1, 1]^2 are expected in the picture at the frame's point (s, t) as
 * clamp((a + b s + c t) (Y + h (T - Y)), 0, 1), where Y is T's brightness. The six numbers of the frame and a, b, c, h
 * are moved together to lessen the robust squared differences (Geman and McClure's weights), with a weak pull towards
 * the frame given and towards plain light.
 *
 * @param pyramid - the picture
 * @param start - the view frame to begin with
 * @param target - cells x cells colours of the indexed image
 * @param startLight - the light to begin with; where absent, an even gain that suits both
 */
export function register(
  pyramid: ColourPyramid,
  start: Float64Array,
  target: Float32Array,
  { cells, softness, steps }: RegistrationDetail,
  startLight?: Light,
): Registration {
  const count = cells * cells;
  const frame = start.slice();
  const observed = new Float32Array(count * 3);
  const normal = new Float64Array(PARAMETERS * PARAMETERS);
  const right = new Float64Array(PARAMETERS);
  const drift = new Float64Array(PARAMETERS);
  pyramid.sampleGrid(frame, 0, cells, observed, softness);
  let { gain, slopeX, slopeY, saturation } = startLight ?? plainLight(observed, target);
  for (let step = 0; step < steps; step++) {
    if (step > 0) {
      pyramid.sampleGrid(frame, 0, cells, observed, softness);
    }
    drift[6] = gain - 0.9;
    drift[7] = slopeX;
    drift[8] = slopeY;
    drift[9] = saturation - 0.95;
    accumulate(observed, target, cells, { gain, slopeX, slopeY, saturation }, normal, right);
    for (let p = 0; p < PARAMETERS; p++) {
      const pull = (PRIOR_WEIGHT * count) / PRIOR[p]! ** 2;
      normal[p * PARAMETERS + p]! += pull;
      right[p]! -= pull * drift[p]!;
    }
    if (!solve(normal, right)) {
      break;
    }
    moveFrame(frame, right, drift);
    gain = Math.min(2, Math.max(0.2, gain + right[6]!));
    slopeX = Math.min(0.6, Math.max(-0.6, slopeX + right[7]!));
    slopeY = Math.min(0.6, Math.max(-0.6, slopeY + right[8]!));
    saturation = Math.min(1.6, Math.max(0.4, saturation + right[9]!));
  }
  return { frame, light: { gain, slopeX, slopeY, saturation } };
}

function plainLight(observed: Float32Array, target: Float32Array): Light {
  let product = 0;
  let square = 1e-9;
  for (let i = 0; i < target.length; i++) {
    product += observed[i]! * target[i]!;
    square += target[i]! ** 2;
  }
  return { gain: Math.min(2, Math.max(0.2, product / square)), slopeX: 0, slopeY: 0, saturation: 0.95 };
}

/** Fills the normal equations (J'WJ, J'Wr) at the present fit. */
function accumulate(
  observed: Float32Array,
  target: Float32Array,
  cells: number,
  { gain, slopeX, slopeY, saturation }: Light,
  normal: Float64Array,
  right: Float64Array,
): void {
  normal.fill(0);
  right.fill(0);
  const row = new Float64Array(PARAMETERS);
  const expected = expectedColours(target, cells, { gain, slopeX, slopeY, saturation });
  for (let i = 0; i < cells; i++) {
    const t = (2 * i + 1) / cells - 1;
    const above = i > 0 ? cells * 3 : 0;
    const below = i < cells - 1 ? cells * 3 : 0;
    const scaleT = cells / 2 / ((above + below) / (cells * 3)) / 2;
    for (let j = 0; j < cells; j++) {
      const s = (2 * j + 1) / cells - 1;
      const left = j > 0 ? 3 : 0;
      const rightward = j < cells - 1 ? 3 : 0;
      const scaleS = cells / 2 / ((left + rightward) / 3) / 2;
      const cell = (i * cells + j) * 3;
      const luma = 0.299 * target[cell]! + 0.587 * target[cell + 1]! + 0.114 * target[cell + 2]!;
      const lit = gain + slopeX * s + slopeY * t;
      for (let channel = 0; channel < 3; channel++) {
        const at = cell + channel;
        const difference = expected[at]! - observed[at]!;
        const ratio = (difference / ROBUST_SCALE) ** 2;
        const weight = 1 / (1 + ratio) ** 2;
        const ds =
          (observed[at + rightward]! -
            observed[at - left]! +
            expected[at + rightward]! -
            expected[at - left]!) *
          scaleS;
        const dt =
          (observed[at + below]! - observed[at - above]! + expected[at + below]! - expected[at - above]!) *
          scaleT;
        row[0] = ds;
        row[1] = s * ds;
        row[2] = t * ds;
        row[3] = dt;
        row[4] = s * dt;
        row[5] = t * dt;
        const chroma = target[at]! - luma;
        const toned = luma + saturation * chroma;
        const value = lit * toned;
        const open = value > 0 && value < 1 ? 1 : 0;
        row[6] = -toned * open;
        row[7] = -toned * s * open;
        row[8] = -toned * t * open;
        row[9] = -lit * chroma * open;
        for (let p = 0; p < PARAMETERS; p++) {
          const weighted = weight * row[p]!;
          right[p]! += weighted * difference;
          for (let q = 0; q <= p; q++) {
            normal[p * PARAMETERS + q]! += weighted * row[q]!;
          }
        }
      }
    }
  }
}

/** The target's colours in the picture's light. */
function expectedColours(
  target: Float32Array,
  cells: number,
  { gain, slopeX, slopeY, saturation }: Light,
): Float32Array {
  const expected = new Float32Array(target.length);
  for (let cell = 0; cell < cells * cells; cell++) {
    const s = (2 * (cell % cells) + 1) / cells - 1;
    const t = (2 * Math.floor(cell / cells) + 1) / cells - 1;
    const lit = gain + slopeX * s + slopeY * t;
    const at = cell * 3;
    const luma = 0.299 * target[at]! + 0.587 * target[at + 1]! + 0.114 * target[at + 2]!;
    for (let channel = at; channel < at + 3; channel++) {
      expected[channel] = Math.min(1, Math.max(0, lit * (luma + saturation * (target[channel]! - luma))));
    }
  }
  return expected;
}

/** Moves the frame by a step in its own coordinates and keeps account of the way from the start. */
function moveFrame(frame: Float64Array, step: Float64Array, drift: Float64Array): void {
  const [, , ux, uy, vx, vy] = frame as unknown as [number, number, number, number, number, number];
  for (let p = 0; p < POSE; p++) {
    step[p] = Math.min(0.25, Math.max(-0.25, step[p]!));
    drift[p]! += step[p]!;
  }
  frame[0]! += step[0]! * ux + step[3]! * vx;
  frame[1]! += step[0]! * uy + step[3]! * vy;
  frame[2]! += step[1]! * ux + step[4]! * vx;
  frame[3]! += step[1]! * uy + step[4]! * vy;
  frame[4]! += step[2]! * ux + step[5]! * vx;
  frame[5]! += step[2]! * uy + step[5]! * vy;
}

/** Solves the symmetric system in place (Cholesky; the lower triangle is read); false where it has no safe solution. */
function solve(matrix: Float64Array, vector: Float64Array): boolean {
  const n = PARAMETERS;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) {
        sum -= matrix[i * n + k]! * matrix[j * n + k]!;
      }
      if (i === j) {
        if (!(sum > 1e-12)) {
          return false;
        }
        matrix[i * n + i] = Math.sqrt(sum);
      } else {
        matrix[i * n + j] = sum / matrix[j * n + j]!;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = vector[i]!;
    for (let k = 0; k < i; k++) {
      sum -= matrix[i * n + k]! * vector[k]!;
    }
    vector[i] = sum / matrix[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = vector[i]!;
    for (let k = i + 1; k < n; k++) {
      sum -= matrix[k * n + i]! * vector[k]!;
    }
    vector[i] = sum / matrix[i * n + i]!;
  }
  return true;
}

/**
 * Takes the light off colours in place: brightness over the gain, chroma over the saturation. A channel that was cut off
 * at white stays white.
 *
 * @param colours - cells x cells colours of a view
 */
export function takeLightOff(colours: Float32Array, cells: number, light: Light): void {
  for (let cell = 0; cell < cells * cells; cell++) {
    const s = (2 * (cell % cells) + 1) / cells - 1;
    const t = (2 * Math.floor(cell / cells) + 1) / cells - 1;
    const lit = Math.max(0.1, light.gain + light.slopeX * s + light.slopeY * t);
    const at = cell * 3;
    const luma = 0.299 * colours[at]! + 0.587 * colours[at + 1]! + 0.114 * colours[at + 2]!;
    for (let channel = at; channel < at + 3; channel++) {
      const own = luma + (colours[channel]! - luma) / light.saturation;
      colours[channel] = own >= 0.98 && lit > 1 ? 1 : Math.min(1.2, Math.max(-0.1, own / lit));
    }
  }
}

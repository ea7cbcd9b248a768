import sharp from 'sharp';
import type { Quads } from '../../encoders/encoder.js';
import type { SeededRandom } from '../../ranking/seeded-random.js';
import type { Canvas } from './picture-clutter.js';

/** Where something lies in a picture, in pixels: a parallelogram. */
export interface Placement {
  readonly centreX: number;
  readonly centreY: number;
  /** From the centre to the middle of the right edge, and of the bottom edge. */
  readonly right: readonly [number, number];
  readonly down: readonly [number, number];
}

/** A part of a picture, in pixels. */
export interface Cell {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** How a flag stands. */
export interface Stance {
  /** Degrees, clockwise. */
  readonly rotation: number;
  readonly shear: number;
  /** Pixels; less where the flag would not fit. */
  readonly width: number;
}

/** A flag of shape 4:3 somewhere in a cell, wholly inside: every place in the cell is equally likely. */
export function placeInCell(cell: Cell, stance: Stance, random: SeededRandom): Placement {
  const angle = (stance.rotation * Math.PI) / 180;
  const { shear } = stance;
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const right = [cosine, sine] as const;
  const down = [(shear * cosine - sine) * 0.75, (shear * sine + cosine) * 0.75] as const;
  const reachX = Math.abs(right[0]) + Math.abs(down[0]);
  const reachY = Math.abs(right[1]) + Math.abs(down[1]);
  const half = Math.min(
    stance.width / 2,
    (0.49 * (cell.right - cell.left)) / reachX,
    (0.49 * (cell.bottom - cell.top)) / reachY,
  );
  return {
    centreX: random.uniform(cell.left + half * reachX, cell.right - half * reachX),
    centreY: random.uniform(cell.top + half * reachY, cell.bottom - half * reachY),
    right: [right[0] * half, right[1] * half],
    down: [down[0] * half, down[1] * half],
  };
}

/** A placement's corners as shares of the picture's width and height: upper left, upper right, lower right, lower left. */
export function quadOf({ centreX, centreY, right, down }: Placement, { width, height }: Canvas): Quads {
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ] as const;
  return Float32Array.from(
    corners.flatMap(([u, v]) => [
      (centreX + u * right[0] + v * down[0]) / width,
      (centreY + u * right[1] + v * down[1]) / height,
    ]),
  );
}

/** Paints the image in a file over a canvas at a placement, smoothly. */
export async function paintFlag(canvas: Canvas, path: string, placement: Placement): Promise<void> {
  const { centreX, centreY, right, down } = placement;
  const flagWidth = Math.max(2, Math.round(2 * Math.hypot(right[0], right[1])));
  const flagHeight = Math.max(2, Math.round(2 * Math.hypot(down[0], down[1])));
  const flag = await sharp(path)
    .flatten({ background: '#fff' })
    .resize(flagWidth, flagHeight, { fit: 'fill' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
  const { width, height, pixels } = canvas;
  const determinant = right[0] * down[1] - right[1] * down[0];
  const reachX = Math.abs(right[0]) + Math.abs(down[0]) + 1;
  const reachY = Math.abs(right[1]) + Math.abs(down[1]) + 1;
  for (let y = Math.max(0, Math.floor(centreY - reachY)); y < Math.min(height, centreY + reachY); y++) {
    for (let x = Math.max(0, Math.floor(centreX - reachX)); x < Math.min(width, centreX + reachX); x++) {
      const dx = x + 0.5 - centreX;
      const dy = y + 0.5 - centreY;
      const column = (((dx * down[1] - dy * down[0]) / determinant + 1) / 2) * flagWidth - 0.5;
      const row = (((dy * right[0] - dx * right[1]) / determinant + 1) / 2) * flagHeight - 0.5;
      const coverage =
        clamp(column + 1) * clamp(flagWidth - column) * clamp(row + 1) * clamp(flagHeight - row);
      if (coverage > 0) {
        blend(pixels, (y * width + x) * 3, flag, flagWidth, flagHeight, column, row, coverage);
      }
    }
  }
}

/** Lays the flag's colour at a fractional place (bilinear) over one pixel. */
function blend(
  pixels: Float32Array,
  pixel: number,
  flag: Uint8Array,
  flagWidth: number,
  flagHeight: number,
  column: number,
  row: number,
  coverage: number,
): void {
  const x = Math.min(flagWidth - 1, Math.max(0, column));
  const y = Math.min(flagHeight - 1, Math.max(0, row));
  const left = Math.min(flagWidth - 2, Math.floor(x));
  const top = Math.min(flagHeight - 2, Math.floor(y));
  const u = x - left;
  const v = y - top;
  const upper = (top * flagWidth + left) * 3;
  const lower = upper + flagWidth * 3;
  for (let channel = 0; channel < 3; channel++) {
    const above = flag[upper + channel]! * (1 - u) + flag[upper + 3 + channel]! * u;
    const below = flag[lower + channel]! * (1 - u) + flag[lower + 3 + channel]! * u;
    const colour = above + (below - above) * v;
    pixels[pixel + channel] = pixels[pixel + channel]! * (1 - coverage) + colour * coverage;
  }
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

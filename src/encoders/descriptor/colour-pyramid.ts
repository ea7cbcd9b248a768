import type { Allocate, PixelImage } from '../pixel-image.js';
import { FRAME_SIZE } from './view-frame.js';

/**
 * A picture at halving sizes, each the mean of 2 x 2 pixels of the one before, so that the mean colour around a point
 * costs the same at every size of the surroundings.
 */
export class ColourPyramid {
  readonly width: number;
  readonly height: number;
  readonly #levels: PixelImage[];

  /** @param allocate - makes the arrays of the smaller sizes */
  constructor(image: PixelImage, allocate: Allocate = (length) => new Float32Array(length)) {
    this.width = image.width;
    this.height = image.height;
    this.#levels = [image];
    let level = image;
    while (Math.max(level.width, level.height) > 1) {
      level = halve(level, allocate);
      this.#levels.push(level);
    }
  }

  /** The arrays that it consists of, the image's own first. */
  get arrays(): Float32Array[] {
    return this.#levels.map(({ rgb }) => rgb);
  }

  /**
   * Colours at the centres of a cells x cells grid over a frame, row by row, three values each. A colour is the mean
   * over a soft spot: linear between pixels and between sizes. Outside of the picture its
   * border goes on.
   *
   * @param frames - view frames, `FRAME_SIZE` numbers each
   * @param out - receives cells * cells * 3 values
   * @param softness - half the width of the spot, as a share of a cell's side
   */
  sampleGrid(frames: Float64Array, frame: number, cells: number, out: Float32Array, softness: number): void {
    const base = frame * FRAME_SIZE;
    const centreX = frames[base]!;
    const centreY = frames[base + 1]!;
    const rightX = frames[base + 2]!;
    const rightY = frames[base + 3]!;
    const downX = frames[base + 4]!;
    const downY = frames[base + 5]!;
    const area = Math.abs(rightX * downY - rightY * downX) * 4;
    const spot = (softness * Math.sqrt(area)) / cells;
    const depth = Math.min(this.#levels.length - 1, Math.max(0, Math.log2(Math.max(spot, 1e-6))));
    const finer = Math.floor(depth);
    const share = depth - finer;
    let write = 0;
    for (let row = 0; row < cells; row++) {
      const t = (2 * row + 1) / cells - 1;
      for (let column = 0; column < cells; column++) {
        const s = (2 * column + 1) / cells - 1;
        const x = centreX + s * rightX + t * downX;
        const y = centreY + s * rightY + t * downY;
        this.#sample(finer, x, y, 1 - share, out, write, false);
        if (share > 0) {
          this.#sample(finer + 1, x, y, share, out, write, true);
        }
        write += 3;
      }
    }
  }

  #sample(
    depth: number,
    x: number,
    y: number,
    weight: number,
    out: Float32Array,
    at: number,
    add: boolean,
  ): void {
    const { width, height, rgb } = this.#levels[depth]!;
    const shrink = 1 / (1 << depth);
    const px = Math.min(width - 1, Math.max(0, x * shrink - 0.5));
    const py = Math.min(height - 1, Math.max(0, y * shrink - 0.5));
    const left = px | 0;
    const top = py | 0;
    const u = px - left;
    const v = py - top;
    const a = (top * width + left) * 3;
    const b = left + 1 < width ? a + 3 : a;
    const down = top + 1 < height ? width * 3 : 0;
    const wa = (1 - u) * (1 - v) * weight;
    const wb = u * (1 - v) * weight;
    const wc = (1 - u) * v * weight;
    const wd = u * v * weight;
    for (let channel = 0; channel < 3; channel++) {
      const value =
        wa * rgb[a + channel]! +
        wb * rgb[b + channel]! +
        wc * rgb[a + down + channel]! +
        wd * rgb[b + down + channel]!;
      out[at + channel] = add ? out[at + channel]! + value : value;
    }
  }
}

function halve(image: PixelImage, allocate: Allocate): PixelImage {
  const width = (image.width + 1) >> 1;
  const height = (image.height + 1) >> 1;
  const rgb = allocate(width * height * 3);
  for (let y = 0; y < height; y++) {
    const upper = Math.min(image.height - 1, 2 * y) * image.width;
    const lower = Math.min(image.height - 1, 2 * y + 1) * image.width;
    for (let x = 0; x < width; x++) {
      const left = Math.min(image.width - 1, 2 * x);
      const right = Math.min(image.width - 1, 2 * x + 1);
      for (let channel = 0; channel < 3; channel++) {
        rgb[(y * width + x) * 3 + channel] =
          (image.rgb[(upper + left) * 3 + channel]! +
            image.rgb[(upper + right) * 3 + channel]! +
            image.rgb[(lower + left) * 3 + channel]! +
            image.rgb[(lower + right) * 3 + channel]!) /
          4;
      }
    }
  }
  return { width, height, rgb };
}

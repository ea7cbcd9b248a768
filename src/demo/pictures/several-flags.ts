import type { Quads } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { sameFlag } from '../countries/same-flags.js';
import { type Cell, paintFlag, placeInCell, quadOf } from './flag-placement.js';
import { type Arrangement, arrangementOf, drawPlaces, type PlaceName } from './flag-places.js';
import { photograph } from './photograph.js';
import { type Canvas, paintClutter } from './picture-clutter.js';

/** A flag to paint. */
export interface PaintedFlag {
  /** Two letters in upper case. */
  readonly cca2: string;
  readonly svgPath: string;
}

/** What picture to make. */
export interface SeveralFlagsOptions {
  /** Two to four; no picture has two that look the same. */
  readonly flags: readonly PaintedFlag[];
  /** Where each flag stands; where absent, an arrangement is drawn and the flags stand in it row by row. */
  readonly places?: readonly PlaceName[];
  readonly seed: number | string;
  /** Pixels; where absent, width is drawn from 320 to 640. */
  readonly width?: number;
  /** Pixels; where absent, the shape is drawn from those that suit the arrangement, from 3:4 to 2:1. */
  readonly height?: number;
}

/** A made picture of several flags. */
export interface SeveralFlagsPicture {
  readonly jpeg: Uint8Array;
  /** Where each flag is: one quad per flag, in the order of the flags. */
  readonly quads: readonly Quads[];
  /** Each flag's place, in the order of the flags: what people would call it in this picture. */
  readonly places: readonly PlaceName[];
}

/** How far the line between two columns or rows lies from the middle at most, as a share of the picture. */
const CUT = 0.03;
/** Between two cells, as a share of the picture's width. */
const GAP = 0.015;

/**
 * Makes a photograph-like picture of two to four flags: the same bytes for the same options, up to the installed image
 * library.
 *
 * Flags stand beside each other, one above the other, in a row of three, or in three or four corners; each lies wholly
 * inside its part of the picture, so that none covers another. They are 27 to 42 % of the picture's width (two beside
 * each other to 46 %, three to 33 %; less only where they would not fit), rotated within +-12 degrees, sheared within
 * +-0.1. Ground, light, blur, noise and compression are those of `synthesisePicture`; the light falls across the whole
 * picture.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for other than two to four flags, flags that look the same, and places that are no
 * arrangement
 */
export async function synthesiseSeveralFlags(options: SeveralFlagsOptions): Promise<SeveralFlagsPicture> {
  const { flags } = options;
  const random = new SeededRandom(options.seed);
  const drawnPlaces = drawPlaces(flags.length, random);
  const places = options.places ?? drawnPlaces;
  const arrangement = places && arrangementOf(places);
  if (places === undefined || arrangement === undefined || places.length !== flags.length) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `a picture has two to four flags at places of one arrangement, got ${flags.length} flags` +
        (options.places === undefined ? '' : ` at ${JSON.stringify(options.places)}`),
      { flags: flags.map(({ cca2 }) => cca2) },
    );
  }
  checkDifferent(flags);
  const drawnWidth = random.integer(320, 640);
  const drawnShape = random.pick(arrangement.shapes);
  const width = options.width ?? drawnWidth;
  const height = options.height ?? Math.round(width / drawnShape);
  const canvas: Canvas = { width, height, pixels: new Float32Array(width * height * 3) };
  const cells = drawCells(canvas, arrangement, random);
  const placements = places.map((place) => {
    const [least, greatest] = arrangement.widths;
    const stance = {
      rotation: random.uniform(-12, 12),
      shear: random.uniform(-0.1, 0.1),
      width: random.uniform(least, greatest) * width,
    };
    return placeInCell(cells.get(place)!, stance, random);
  });
  paintClutter(canvas, random);
  for (const [i, placement] of placements.entries()) await paintFlag(canvas, flags[i]!.svgPath, placement);
  const whole = {
    centreX: width / 2,
    centreY: height / 2,
    right: [width / 2, 0],
    down: [0, height / 2],
  } as const;
  const jpeg = await photograph(canvas, whole, random);
  return { jpeg, quads: placements.map((placement) => quadOf(placement, canvas)), places };
}

function checkDifferent(flags: readonly PaintedFlag[]): void {
  for (const [i, { cca2 }] of flags.entries()) {
    const same = flags.slice(0, i).find((other) => sameFlag(other.cca2, cca2));
    if (same !== undefined) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `the flags of ${same.cca2} and ${cca2} look the same: no question could tell which is meant`,
        { flags: flags.map((flag) => flag.cca2) },
      );
    }
  }
}

/** The part of the picture that each place of an arrangement has; the lines between two parts lie near the middle. */
function drawCells(
  { width, height }: Canvas,
  { columns, rows, cells }: Arrangement,
  random: SeededRandom,
): Map<PlaceName, Cell> {
  const gap = (GAP * width) / 2;
  const across = drawCuts(columns, width, random);
  const along = drawCuts(rows, height, random);
  return new Map(
    cells.map((place, i) => {
      const column = i % columns;
      const row = Math.floor(i / columns);
      return [
        place,
        {
          left: across[column]! + (column > 0 ? gap : 0),
          top: along[row]! + (row > 0 ? gap : 0),
          right: across[column + 1]! - (column < columns - 1 ? gap : 0),
          bottom: along[row + 1]! - (row < rows - 1 ? gap : 0),
        },
      ];
    }),
  );
}

/** Ends of so many parts of a length, the first 0; two parts differ in size, three, which have no room to spare, do not. */
function drawCuts(parts: number, length: number, random: SeededRandom): number[] {
  const shift = parts === 2 ? random.uniform(-CUT, CUT) : 0;
  return Array.from({ length: parts + 1 }, (_, i) => length * (i / parts + (i > 0 && i < parts ? shift : 0)));
}

import type { SeededRandom } from '../../ranking/seeded-random.js';

/** Where a flag stands among several, as people say it. */
export type PlaceName =
  | 'left'
  | 'right'
  | 'upper'
  | 'lower'
  | 'middle'
  | 'upper left'
  | 'upper right'
  | 'lower left'
  | 'lower right';

/** Flags in rows and columns. */
export interface Arrangement {
  readonly columns: number;
  readonly rows: number;
  /** Row by row. */
  readonly cells: readonly PlaceName[];
  /** Least and greatest width of a flag, as shares of the picture's. */
  readonly widths: readonly [number, number];
  /** Widths of pictures as multiples of their heights, to draw from. */
  readonly shapes: readonly number[];
}

const CORNERS: Arrangement = {
  columns: 2,
  rows: 2,
  cells: ['upper left', 'upper right', 'lower left', 'lower right'],
  widths: [0.27, 0.42],
  shapes: [4 / 3, 4 / 3, 3 / 2, 1],
};

const ARRANGEMENTS: readonly Arrangement[] = [
  {
    columns: 2,
    rows: 1,
    cells: ['left', 'right'],
    widths: [0.27, 0.46],
    shapes: [4 / 3, 4 / 3, 3 / 2, 16 / 9, 1],
  },
  { columns: 1, rows: 2, cells: ['upper', 'lower'], widths: [0.27, 0.42], shapes: [4 / 3, 1, 1, 3 / 4] },
  {
    columns: 3,
    rows: 1,
    cells: ['left', 'middle', 'right'],
    widths: [0.27, 0.33],
    shapes: [3 / 2, 16 / 9, 2],
  },
  CORNERS,
];

/** Every place that a flag can have. */
export const PLACE_NAMES: readonly PlaceName[] = [...new Set(ARRANGEMENTS.flatMap(({ cells }) => cells))];

/** Which of an arrangement's places are taken: all, or three of four corners. */
const waysOf = ({ cells }: Arrangement): readonly (readonly PlaceName[])[] =>
  cells === CORNERS.cells
    ? [cells, ...cells.map((empty) => cells.filter((name) => name !== empty))]
    : [cells];

/**
 * Every way in which flags stand: beside each other, one above the other, in a row of three, and in four or three
 * corners. In each, no name fits two flags.
 */
export const PLACES_TOGETHER: readonly (readonly PlaceName[])[] = ARRANGEMENTS.flatMap(waysOf);

/** The arrangement in which flags stand at these places, in any order; none where no arrangement has them together. */
export function arrangementOf(places: readonly PlaceName[]): Arrangement | undefined {
  return ARRANGEMENTS.find((arrangement) =>
    waysOf(arrangement).some(
      (names) => names.length === places.length && names.every((name) => places.includes(name)),
    ),
  );
}

/** Places for so many flags, each arrangement equally likely; none where no arrangement has so many. */
export function drawPlaces(count: number, random: SeededRandom): readonly PlaceName[] | undefined {
  const fitting = ARRANGEMENTS.map((arrangement) =>
    waysOf(arrangement).filter(({ length }) => length === count),
  ).filter((ways) => ways.length > 0);
  return fitting.length === 0 ? undefined : random.pick(random.pick(fitting));
}

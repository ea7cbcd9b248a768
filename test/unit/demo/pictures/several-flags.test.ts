import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { countryFacts } from '../../../../src/demo/countries/country-facts.js';
import { flagPath } from '../../../../src/demo/countries/flag-images.js';
import { sameFlag } from '../../../../src/demo/countries/same-flags.js';
import {
  arrangementOf,
  drawPlaces,
  PLACES_TOGETHER,
  type PlaceName,
} from '../../../../src/demo/pictures/flag-places.js';
import { synthesiseSeveralFlags } from '../../../../src/demo/pictures/several-flags.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';

const SMALL = { width: 80, height: 80 };
const CODES = ['PL', 'FR', 'JP', 'BR'];

function flags(count: number, codes: readonly string[] = CODES) {
  return codes.slice(0, count).map((cca2) => ({ cca2, svgPath: flagPath(cca2) }));
}

/** Pictures of every way in which flags stand, several of each. */
const EVERY_WAY = Promise.all(
  PLACES_TOGETHER.flatMap((places) =>
    Array.from({ length: 9 }, (_, i) =>
      synthesiseSeveralFlags({ flags: flags(places.length), places, seed: `${places} ${i}`, ...SMALL }),
    ),
  ),
);

function middle(quad: Float32Array, axis: 0 | 1): number {
  return (quad[axis]! + quad[axis + 2]! + quad[axis + 4]! + quad[axis + 6]!) / 4;
}

/** Least and greatest x (axis 0) or y (axis 1). */
function range(quad: Float32Array, axis: 0 | 1): [number, number] {
  const values = [0, 2, 4, 6].map((corner) => quad[corner + axis]!);
  return [Math.min(...values), Math.max(...values)];
}

describe('made pictures of several flags', () => {
  test('the same seed gives the same bytes, another seed another picture', async () => {
    const make = (seed: string) => synthesiseSeveralFlags({ flags: flags(3), seed, ...SMALL });
    const [first, again, other] = await Promise.all([make('a'), make('a'), make('b')]);
    expect(Buffer.compare(first.jpeg, again.jpeg)).toBe(0);
    expect([again.quads, again.places]).toEqual([first.quads, first.places]);
    expect(Buffer.compare(first.jpeg, other.jpeg)).not.toBe(0);
  });

  test('flags lie inside and clear of each other, in every arrangement', async () => {
    for (const { quads, places } of await EVERY_WAY) {
      expect(quads.length).toBe(places.length);
      for (const [i, quad] of quads.entries()) {
        expect(Math.min(...quad)).toBeGreaterThan(0);
        expect(Math.max(...quad)).toBeLessThan(1);
        for (const other of quads.slice(0, i)) {
          const apart = ([0, 1] as const).some((axis) => {
            const [low, high] = range(quad, axis);
            const [otherLow, otherHigh] = range(other, axis);
            return high < otherLow || otherHigh < low;
          });
          expect(apart, `${places}`).toBe(true);
        }
      }
    }
  });

  test('flags stand where their places say', async () => {
    for (const { quads, places } of await EVERY_WAY) {
      for (const [i, place] of places.entries()) {
        const [x, y] = [middle(quads[i]!, 0), middle(quads[i]!, 1)];
        if (place.includes('left')) expect(x).toBeLessThan(places.includes('middle') ? 1 / 3 : 0.53);
        if (place.includes('right')) expect(x).toBeGreaterThan(places.includes('middle') ? 2 / 3 : 0.47);
        if (place.includes('upper')) expect(y).toBeLessThan(0.53);
        if (place.includes('lower')) expect(y).toBeGreaterThan(0.47);
        if (place === 'middle') expect(Math.abs(x - 0.5)).toBeLessThan(1 / 6);
      }
    }
  });

  test('widths and angles spread over their ranges', async () => {
    const edges = (await EVERY_WAY).flatMap(({ quads, places }) =>
      quads.map((quad) => ({ x: quad[2]! - quad[0]!, y: quad[3]! - quad[1]!, places })),
    );
    const widths = (of: (places: readonly PlaceName[]) => boolean) =>
      edges.filter(({ places }) => of(places)).map(({ x, y }) => Math.hypot(x, y));
    const pair = widths((places) => places.length === 2 && places.includes('left'));
    const row = widths((places) => places.includes('middle'));
    const others = widths((places) => places.length > 2 && !places.includes('middle'));
    expect(Math.max(...pair)).toBeGreaterThan(0.4);
    expect(Math.max(...pair)).toBeLessThanOrEqual(0.461);
    expect(Math.min(...row)).toBeGreaterThan(0.25);
    expect(Math.max(...row)).toBeLessThanOrEqual(0.331);
    expect(Math.min(...others)).toBeGreaterThan(0.269);
    expect(Math.min(...others)).toBeLessThan(0.3);
    expect(Math.max(...others)).toBeGreaterThan(0.39);
    expect(Math.max(...others)).toBeLessThanOrEqual(0.421);
    const angles = edges.map(({ x, y }) => (Math.atan2(y, x) / Math.PI) * 180);
    expect(Math.min(...angles)).toBeLessThan(-9);
    expect(Math.max(...angles)).toBeGreaterThan(9);
    expect(Math.max(...angles.map(Math.abs))).toBeLessThanOrEqual(12.01);
  });

  test('each flag is painted where its quad says', async () => {
    const size = { width: 400, height: 300 };
    const places: PlaceName[] = ['lower right', 'upper left', 'upper right', 'lower left'];
    const { jpeg, quads } = await synthesiseSeveralFlags({
      flags: flags(4, ['CN', 'FR', 'SE', 'NG']),
      places,
      seed: 2,
      ...size,
    });
    const { data } = await sharp(jpeg).blur(3).raw().toBuffer({ resolveWithObject: true });
    const strongest = (quad: Float32Array, s: number, t: number): number => {
      const x = quad[0]! + s * (quad[2]! - quad[0]!) + t * (quad[6]! - quad[0]!);
      const y = quad[1]! + s * (quad[3]! - quad[1]!) + t * (quad[7]! - quad[1]!);
      const pixel = (Math.floor(y * size.height) * size.width + Math.floor(x * size.width)) * 3;
      const colour = [...data.subarray(pixel, pixel + 3)];
      return colour.indexOf(Math.max(...colour));
    };
    const [red, green, blue] = [0, 1, 2];
    expect(strongest(quads[0]!, 0.7, 0.7)).toBe(red);
    expect(strongest(quads[1]!, 0.16, 0.5)).toBe(blue);
    expect(strongest(quads[1]!, 0.84, 0.5)).toBe(red);
    expect(strongest(quads[2]!, 0.15, 0.15)).toBe(blue);
    expect(strongest(quads[3]!, 0.16, 0.5)).toBe(green);
    expect(strongest(quads[3]!, 0.84, 0.5)).toBe(green);
  });

  test('the size is the one asked for, or suits the arrangement', async () => {
    const sizeOf = async (options: object) => {
      const { jpeg } = await synthesiseSeveralFlags({ flags: flags(3), seed: 1, ...options });
      return sharp(jpeg).metadata();
    };
    expect(await sizeOf(SMALL)).toMatchObject({ format: 'jpeg', ...SMALL });
    const { width, height } = await sizeOf({ places: ['left', 'middle', 'right'] });
    expect(width).toBeGreaterThanOrEqual(320);
    expect(width / height).toBeGreaterThan(1.45);
  });

  test.each([
    ['one flag', flags(1), undefined],
    ['five flags', flags(5, [...CODES, 'QA']), undefined],
    ['flags that look the same', flags(3, ['MC', 'FR', 'ID']), undefined],
    ['one flag twice', flags(2, ['FR', 'FR']), undefined],
    ['fewer places than flags', flags(3), ['left', 'right']],
    ['one place twice', flags(2), ['left', 'left']],
    ['places of two arrangements', flags(2), ['left', 'upper']],
    ['corners that leave two empty', flags(2), ['upper left', 'lower right']],
  ])('%s is refused', async (_, painted, places) => {
    const options = { flags: painted, seed: 1, ...SMALL, ...(places && { places: places as PlaceName[] }) };
    await expect(synthesiseSeveralFlags(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

test('drawn places are those of an arrangement, and all of them are drawn', () => {
  const random = new SeededRandom('places');
  const drawn = new Set<string>();
  for (const count of [2, 3, 4]) {
    for (let i = 0; i < 60; i++) drawn.add(`${drawPlaces(count, random)}`);
  }
  expect([...drawn].sort()).toEqual(PLACES_TOGETHER.map(String).sort());
  for (const places of PLACES_TOGETHER) expect(arrangementOf([...places].reverse())).toBeDefined();
});

test('flags that look the same are known, all those that are one drawing among them', () => {
  const pairs = ['FR FR', 'FR YT', 'NL BQ', 'ID MC', 'BV NO', 'FR NL', 'ID PL', 'RO TD'];
  const same = pairs.map((pair) => sameFlag(pair.slice(0, 2), pair.slice(3)));
  expect(same).toEqual([true, true, true, true, true, false, false, false]);
  const drawings = new Map<string, string>();
  for (const { cca2 } of countryFacts()) {
    const drawing = readFileSync(flagPath(cca2), 'utf8').replaceAll(new RegExp(`\\b${cca2}\\b`, 'gi'), '');
    const first = drawings.get(drawing) ?? cca2;
    expect(sameFlag(first, cca2), `${first} ${cca2}`).toBe(true);
    drawings.set(drawing, first);
  }
  expect(drawings.size).toBeLessThan(countryFacts().length);
});

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { inBatchContrastOfVectors } from '../../../../src/training/losses/in-batch-contrast-of-vectors.js';
import { maxSimContrastOfVectors } from '../../../../src/training/losses/max-sim-contrast-of-vectors.js';
import { patchContrast } from '../../../../src/training/losses/patches/patch-contrast.js';
import { patchContrastOfVectors } from '../../../../src/training/losses/patches/patch-contrast-of-vectors.js';
import type { RaggedMatrix } from '../../../../src/vectors/matrix.js';
import { sameBits } from '../towers/same-bits.js';
import { closeTo } from './finite-differences.js';

const COLUMNS = 9;

/** Lists of vectors of a length of about 1. */
function lists(lengths: readonly number[], seed: string): RaggedMatrix {
  const random = new SeededRandom(seed);
  const rows = lengths.reduce((a, b) => a + b, 0);
  const data = Float32Array.from({ length: rows * COLUMNS }, () => random.normal() / Math.sqrt(COLUMNS));
  return { data, lengths: Uint32Array.from(lengths), columns: COLUMNS };
}

/** In float64, list by list, each multiplied by `scale(length)`. */
function separate({ data, lengths, columns }: RaggedMatrix, scale = (_: number) => 1) {
  let at = 0;
  return Array.from(lengths, (length) => {
    const part = data.subarray(at, at + length * columns);
    at += length * columns;
    return { data: Float64Array.from(part, (x) => x * scale(length)), columns };
  });
}

const joined = (parts: readonly Float64Array[]) => parts.flatMap((part) => [...part]);

/** Holds numbers to `expected`, up to a share of the greatest. */
function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const greatest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expect(greatest).toBeGreaterThan(0);
  for (const [i, x] of expected.entries()) {
    if (!(Math.abs(x - found[i]!) <= 5e-6 * greatest)) expect.fail(`entry ${i}: ${found[i]} against ${x}`);
  }
}

const TEXTS = lists([3, 1, 4, 2, 5], 'texts');
const IMAGES = lists([2, 7, 1, 3, 4], 'images');
const MORE_IMAGES = lists([2, 7, 1, 3, 4, 6, 2], 'more images');

describe.each(['filip', 'max-sim', 'pacl', 'sparc'] as const)('patchContrastOfVectors, %s', (score) => {
  const attentionTemperature = score === 'pacl' ? 0.2 : undefined;
  it.each(score === 'filip' ? [IMAGES] : [IMAGES, MORE_IMAGES])(
    'is float64 up to rounding',
    async (images) => {
      for (const temperature of [1, 0.1]) {
        const options = { score, temperature, attentionTemperature };
        const expected = patchContrast(separate(TEXTS), separate(images), options);
        const found = await patchContrastOfVectors(TEXTS, images, options);
        closeTo(found.loss, expected.loss, 2e-6);
        closeTo(found.temperatureGradient, expected.temperatureGradient, 1e-5);
        closeTo(found.attentionTemperatureGradient, expected.attentionTemperatureGradient, 5e-6);
        expectClose(found.wordGradient.data, joined(expected.wordGradients));
        expectClose(found.patchGradient.data, joined(expected.patchGradients));
        expect(found.wordGradient.lengths).toEqual(TEXTS.lengths);
        expect(found.patchGradient.lengths).toEqual(images.lengths);
      }
    },
  );

  it('is float64 up to rounding where patches, words and matches are equal', async () => {
    // Multiples of 1/2 have exact similarities: many are the same, and some lie just on the threshold of a group.
    const coarse = (count: number, seed: string): RaggedMatrix => {
      const random = new SeededRandom(seed);
      const lengths = Uint32Array.from({ length: count }, (_, i) => 1 + (i % 5));
      const rows = lengths.reduce((a, b) => a + b, 0);
      const data = Float32Array.from({ length: 2 * rows }, () => random.integer(-2, 2) / 2);
      return { data, lengths, columns: 2 };
    };
    const [texts, images] = [coarse(30, 'coarse texts'), coarse(30, 'coarse images')];
    const options = { score, temperature: 0.7, attentionTemperature };
    const expected = patchContrast(separate(texts), separate(images), options);
    const found = await patchContrastOfVectors(texts, images, options);
    closeTo(found.loss, expected.loss, 2e-6);
    expectClose(found.wordGradient.data, joined(expected.wordGradients));
    expectClose(found.patchGradient.data, joined(expected.patchGradients));
  });

  it('has the same bits for every number of threads', async () => {
    const lengths = Array.from({ length: 40 }, (_, i) => 1 + (i % 5));
    const [texts, images] = [lists(lengths, 't'), lists(lengths, 'i')];
    const [one, many] = await Promise.all(
      [1, 5].map((threads) =>
        patchContrastOfVectors(texts, images, { score, temperature: 0.1, attentionTemperature, threads }),
      ),
    );
    expect([many!.loss, many!.temperatureGradient]).toEqual([one!.loss, one!.temperatureGradient]);
    expect(
      sameBits(
        [many!.wordGradient.data, many!.patchGradient.data],
        [one!.wordGradient.data, one!.patchGradient.data],
      ),
    ).toBe(true);
  });
});

describe('maxSimContrastOfVectors', () => {
  it('divides a query by its number of vectors', async () => {
    const found = await maxSimContrastOfVectors(TEXTS, MORE_IMAGES, { temperature: 0.1 });
    const expected = patchContrast(
      separate(TEXTS, (length) => 1 / length),
      separate(MORE_IMAGES),
      { score: 'max-sim', temperature: 0.1 },
    );
    closeTo(found.loss, expected.loss, 2e-6);
    closeTo(found.temperatureGradient, expected.temperatureGradient, 1e-5);
    const scaled = expected.wordGradients.map((g, i) => g.map((x) => x / TEXTS.lengths[i]!));
    expectClose(found.queryGradient.data, joined(scaled));
    expectClose(found.documentGradient.data, joined(expected.patchGradients));
  });

  it('gives the first of equal matches the gradient', async () => {
    const query: RaggedMatrix = { data: Float32Array.of(1, 0), lengths: Uint32Array.of(1), columns: 2 };
    const documents: RaggedMatrix = {
      data: Float32Array.of(1, 0, 1, 0, 1, 0, 1, 0),
      lengths: Uint32Array.of(2, 2),
      columns: 2,
    };
    const { documentGradient } = await maxSimContrastOfVectors(query, documents, {
      direction: 'query-to-document',
    });
    expect([...documentGradient.data]).toEqual([-0.5, 0, 0, 0, 0.5, 0, 0, 0]);
  });

  it.each(
    (['query-to-document', 'document-to-query', 'both'] as const).flatMap((direction) =>
      // At the lower one a pair that does not count may score higher by more than exp can hold.
      [0.2, 1e-5].map((temperature) => ({ direction, temperature })),
    ),
  )(
    'is inBatchContrastOfVectors for lists of one vector, with groups and weights: $direction, t = $temperature',
    async ({ direction, temperature }) => {
      const [q, d] = [lists(new Array(5).fill(1), 'q'), lists(new Array(8).fill(1), 'd')];
      const options = {
        direction,
        temperature,
        groups: Uint32Array.of(0, 1, 0, 2, 3, 1, 4, 5),
        weights: Float64Array.of(1, 2, 0.5, 0, 3),
      };
      const found = await maxSimContrastOfVectors(q, d, options);
      const matrices = [q, d].map(({ data, lengths }) => ({ data, rows: lengths.length, columns: COLUMNS }));
      const expected = await inBatchContrastOfVectors(matrices[0]!, matrices[1]!, options);
      closeTo(found.loss, expected.loss, 1e-12);
      closeTo(found.temperatureGradient, expected.temperatureGradient, 1e-12);
      expectClose(found.queryGradient.data, [...expected.queryGradient.data]);
      expectClose(found.documentGradient.data, [...expected.documentGradient.data]);
    },
  );
});

describe('patchContrastOfVectors', () => {
  const code = (expected: string) => expect.objectContaining({ code: expected });
  const score = 'pacl';

  it.each([
    ['LENGTH_MISMATCH', MORE_IMAGES, TEXTS, { score }],
    ['LENGTH_MISMATCH', TEXTS, { ...IMAGES, columns: 3 }, { score }],
    ['LENGTH_MISMATCH', TEXTS, { ...IMAGES, lengths: Uint32Array.of(1) }, { score }],
    ['LENGTH_MISMATCH', lists([], ''), IMAGES, { score }],
    ['EMPTY_DOCUMENT', TEXTS, lists([1, 2, 0, 1, 1], 'x'), { score }],
    ['INVALID_ARGUMENT', { data: TEXTS.data, rows: 15, columns: COLUMNS } as never, IMAGES, { score }],
    ['INVALID_ARGUMENT', undefined as never, IMAGES, { score }],
    ['INVALID_ARGUMENT', TEXTS, IMAGES, { score: 'other' as never }],
    ['TEMPERATURE_INVALID', TEXTS, IMAGES, { score, temperature: -1 }],
    ['TEMPERATURE_INVALID', TEXTS, IMAGES, { score, attentionTemperature: 0 }],
    ['TARGET_INVALID', TEXTS, IMAGES, { score, weights: new Float64Array(5) }],
    ['NOT_FINITE', TEXTS, IMAGES, { score, temperature: 1e-308 }],
    ['NOT_FINITE', TEXTS, IMAGES, { score, temperature: 1e-42 }],
    ['NOT_FINITE', TEXTS, IMAGES, { score, attentionTemperature: 1e-310 }],
  ] as const)('refuses with %s', async (expected, texts, images, options) => {
    await expect(patchContrastOfVectors(texts, images, options)).rejects.toThrow(code(expected));
  });

  it('says whose number it is, also of a similarity or a gradient', async () => {
    const changed = ({ data, ...rest }: RaggedMatrix, change: (x: number, i: number) => number) => ({
      ...rest,
      data: data.map(change),
    });
    const one = (place: number, value: number) => (x: number, i: number) => (i === place ? value : x);
    const [large, little] = [(x: number) => 1e30 * x, (x: number) => 1e-30 * x];
    for (const [texts, images, temperature, message] of [
      [changed(TEXTS, one(4 * COLUMNS + 3, Number.NaN)), IMAGES, 1, 'word 4, column 3 is'],
      [TEXTS, changed(IMAGES, one(5 * COLUMNS, Number.NaN)), 1, 'patch 5, column 0 is'],
      [
        changed(TEXTS, one(4 * COLUMNS + 3, 1e20)),
        changed(IMAGES, one(5 * COLUMNS + 3, 1e20)),
        1,
        'similarities with word 4, column 5 is',
      ],
      // Similarities are about 1; a gradient is that of a similarity, some 1e9 and more, times vectors of the other side.
      [changed(TEXTS, large), changed(IMAGES, little), 1e-12, 'gradient of patch'],
      [changed(TEXTS, little), changed(IMAGES, large), 1e-12, 'gradient of word'],
    ] as const) {
      await expect(
        patchContrastOfVectors(texts, images, { score: 'filip', temperature }),
      ).rejects.toMatchObject({ code: 'NOT_FINITE', message: expect.stringContaining(message) });
    }
  });

  it('refuses where the loss alone is not finite', async () => {
    // The second text is wrong, and counts next to nothing: no gradient is beyond float32.
    const two = (...data: number[]) => ({
      data: Float32Array.from(data),
      lengths: Uint32Array.of(1, 1),
      columns: 2,
    });
    const options = { score: 'max-sim', temperature: 1e-308, weights: Float64Array.of(1, 1e-280) } as const;
    await expect(patchContrastOfVectors(two(1, 0, 0, 10), two(1, 0, 0, -1), options)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringContaining('the loss is not finite'),
    });
  });

  it('says where a number is not finite', async () => {
    const bad = { ...IMAGES, data: IMAGES.data.slice() };
    bad.data[2 * COLUMNS + 4] = Number.POSITIVE_INFINITY;
    await expect(patchContrastOfVectors(TEXTS, bad, { score: 'filip' })).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 2, column: 4 },
    });
    await expect(
      patchContrastOfVectors(TEXTS, IMAGES, { score: 'filip', signal: AbortSignal.abort() }),
    ).rejects.toThrow(code('ABORTED'));
  });
});

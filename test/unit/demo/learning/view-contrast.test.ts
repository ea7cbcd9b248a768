import { describe, expect, it } from 'vitest';
import { type ViewContrastItem, viewContrast } from '../../../../src/demo/learning/view-contrast.js';
import { similarityTile } from '../../../../src/granularity/scores/similarity-tile.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { matrix } from '../../../../src/vectors/matrix.js';

const COLUMNS = 5;
const TEMPERATURE = 0.3;
const COUNTS = [4, 1, 6];
const TITLES = 7;

function numbers(length: number, random: SeededRandom): Float32Array {
  return Float32Array.from({ length }, () => random.uniform(-1, 1));
}

const random = new SeededRandom('view contrast');
const views = numbers(COUNTS.reduce((a, b) => a + b) * COLUMNS, random);
const titles = numbers(TITLES * COLUMNS, random);
const items = COUNTS.map((count, i): ViewContrastItem => {
  const first = COUNTS.slice(0, i).reduce((a, b) => a + b, 0);
  const biases = Float64Array.from({ length: count }, () => random.uniform(-2, 2));
  // The first picture's second view shows another flag.
  const allowed = i === 0 ? Uint8Array.of(1, 0, 1, 1) : undefined;
  return { first, count, title: (i * 3) % TITLES, biases, ...(allowed && { allowed }) };
});

/** The same loss, written down as it is defined. */
function plainLoss(
  v: Float32Array | Float64Array,
  t: Float32Array | Float64Array,
  of: readonly ViewContrastItem[],
): number {
  const losses = of.map(({ first, count, title, allowed, biases }) => {
    const scores = Array.from({ length: TITLES }, (_, e) =>
      Math.max(
        ...Array.from({ length: count }, (__, i) => {
          if (allowed?.[i] === 0) return Number.NEGATIVE_INFINITY;
          let sum = 0;
          for (let c = 0; c < COLUMNS; c++) sum += v[(first + i) * COLUMNS + c]! * t[e * COLUMNS + c]!;
          return sum / TEMPERATURE + (biases?.[i] ?? 0);
        }),
      ),
    );
    return Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[title]!;
  });
  return losses.reduce((a, b) => a + b) / losses.length;
}

async function contrast(of: readonly ViewContrastItem[] = items) {
  const [v, t] = [matrix(views, COLUMNS), matrix(titles, COLUMNS)];
  return viewContrast(v, t, await similarityTile(v, t), of, TEMPERATURE);
}

/** (f(x + h) - f(x - h)) / 2h for each number. */
function slopes(values: Float32Array | Float64Array, loss: (moved: Float64Array) => number): number[] {
  const h = 1e-5;
  return Array.from(values, (_, i) => {
    const moved = (by: number) => {
      const copy = Float64Array.from(values);
      copy[i]! += by;
      return loss(copy);
    };
    return (moved(h) - moved(-h)) / (2 * h);
  });
}

function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  const scale = Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(found[i]! - value), `number ${i}`).toBeLessThan(1e-5 * scale + 1e-9);
  }
}

describe('viewContrast', () => {
  it('is the loss as it is defined', async () => {
    expect((await contrast()).loss).toBeCloseTo(plainLoss(views, titles, items), 6);
  });

  it('has the gradients of finite differences, of views, titles and biases', async () => {
    const found = await contrast();
    expectClose(
      found.views,
      slopes(views, (moved) => plainLoss(moved, titles, items)),
    );
    expectClose(
      found.titles,
      slopes(titles, (moved) => plainLoss(views, moved, items)),
    );
    for (const [i, item] of items.entries()) {
      const expected = slopes(item.biases!, (moved) =>
        plainLoss(views, titles, items.with(i, { ...item, biases: moved })),
      );
      expectClose(found.biases[i]!, expected);
    }
  });

  it('teaches the first of equal views', async () => {
    const row = views.subarray(0, COLUMNS);
    const twice = matrix(Float32Array.from([...row, ...row]), COLUMNS);
    const named = matrix(titles, COLUMNS);
    const found = viewContrast(
      twice,
      named,
      await similarityTile(twice, named),
      [{ first: 0, count: 2, title: 3 }],
      TEMPERATURE,
    );
    expect(found.views.subarray(0, COLUMNS).every((slope) => slope !== 0)).toBe(true);
    expect([...found.views.subarray(COLUMNS)]).toEqual(new Array(COLUMNS).fill(0));
  });

  it('teaches no view that shows another flag', async () => {
    const { views: gradient, biases } = await contrast();
    expect([...gradient.subarray(COLUMNS, 2 * COLUMNS)]).toEqual(new Array(COLUMNS).fill(0));
    expect(biases[0]![1]).toBe(0);
  });
});

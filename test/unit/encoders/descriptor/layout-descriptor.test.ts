import { describe, expect, test } from 'vitest';
import {
  describeLayout,
  LAYOUT_CELLS,
  LAYOUT_DIMENSION,
} from '../../../../src/encoders/descriptor/layout-descriptor.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';

const CELLS = LAYOUT_CELLS * LAYOUT_CELLS;

function layout(colours: Float32Array): Float32Array {
  const out = new Float32Array(LAYOUT_DIMENSION);
  describeLayout(colours, out, 0);
  return out;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Three stripes of random colours, not too dark. */
function stripes(random: SeededRandom): Float32Array {
  const colours = Array.from({ length: 9 }, () => random.uniform(0.2, 0.8));
  return Float32Array.from({ length: CELLS * 3 }, (_, i) => {
    const stripe = Math.min(2, Math.floor(((Math.floor(i / 3) % LAYOUT_CELLS) / LAYOUT_CELLS) * 3));
    return colours[stripe * 3 + (i % 3)]!;
  });
}

describe('layout vectors', () => {
  test('have length 1, and length 0 for an even grey', () => {
    const vector = layout(stripes(new SeededRandom(1)));
    expect(dot(vector, vector)).toBeCloseTo(1, 5);
    const grey = layout(new Float32Array(CELLS * 3).fill(0.4));
    expect(dot(grey, grey)).toBeCloseTo(0, 5);
  });

  test('change little with brightness, saturation and a gradient of light, against other stripes', () => {
    const random = new SeededRandom(2);
    let nearest = Infinity;
    let otherwise = 0;
    for (let trial = 0; trial < 50; trial++) {
      const colours = stripes(random);
      const brightness = random.uniform(0.75, 1.2);
      const saturation = random.uniform(0.7, 1.2);
      const fall = random.uniform(-0.4, 0.4);
      const lit = colours.map((value, i) => {
        const cell = i - (i % 3);
        const luma = 0.299 * colours[cell]! + 0.587 * colours[cell + 1]! + 0.114 * colours[cell + 2]!;
        const gain = brightness * (1 + fall * (Math.floor(i / 3 / LAYOUT_CELLS) / LAYOUT_CELLS - 0.5));
        return gain * (luma + saturation * (value - luma));
      });
      nearest = Math.min(nearest, dot(layout(colours), layout(lit)));
      otherwise += dot(layout(colours), layout(stripes(random))) / 50;
    }
    expect(nearest).toBeGreaterThan(0.85);
    expect(otherwise).toBeLessThan(0.5);
  });
});

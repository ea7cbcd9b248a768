import { expect, test } from 'vitest';
import { ColourPyramid } from '../../../../src/encoders/descriptor/colour-pyramid.js';
import { register, takeLightOff } from '../../../../src/encoders/descriptor/view-registration.js';

const WIDTH = 320;
const HEIGHT = 240;
const CELLS = 24;
const DETAIL = { cells: CELLS, softness: 0.6, steps: 12 };

/** A smooth colour pattern over (s, t) in [-1, 1]^2. */
function pattern(s: number, t: number): [number, number, number] {
  return [
    0.5 + 0.4 * Math.sin(4.1 * s + 0.5 * t),
    0.5 + 0.4 * Math.cos(3.7 * t - 0.8 * s),
    0.5 + 0.4 * Math.sin(2.9 * t + 3.1 * s),
  ];
}

test('a shifted, turned and lit view is brought to its true place and light', () => {
  const truth = Float64Array.of(170, 112, 88, 14, -12, 68);
  const rgb = new Float32Array(WIDTH * HEIGHT * 3);
  const determinant = truth[2]! * truth[5]! - truth[3]! * truth[4]!;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const dx = x + 0.5 - truth[0]!;
      const dy = y + 0.5 - truth[1]!;
      const s = (dx * truth[5]! - dy * truth[4]!) / determinant;
      const t = (dy * truth[2]! - dx * truth[3]!) / determinant;
      rgb.set(
        pattern(s, t).map((value) => Math.min(1, Math.max(0, (0.8 + 0.15 * s) * value))),
        (y * WIDTH + x) * 3,
      );
    }
  }
  const pyramid = new ColourPyramid({ width: WIDTH, height: HEIGHT, rgb });
  const target = new Float32Array(CELLS * CELLS * 3);
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const s = (2 * (cell % CELLS) + 1) / CELLS - 1;
    const t = (2 * Math.floor(cell / CELLS) + 1) / CELLS - 1;
    target.set(pattern(s, t), cell * 3);
  }
  const start = Float64Array.of(178, 106, 92, 4, -4, 70);
  const { frame, light } = register(pyramid, start, target, DETAIL);
  for (let i = 0; i < 6; i++) {
    expect(Math.abs(frame[i]! - truth[i]!)).toBeLessThan(3);
  }
  expect(light.gain).toBeCloseTo(0.8, 1);
  expect(light.slopeX).toBeCloseTo(0.15, 1);

  const colours = new Float32Array(CELLS * CELLS * 3);
  pyramid.sampleGrid(frame, 0, CELLS, colours, 0.6);
  const difference = () =>
    colours.reduce((sum, value, i) => sum + Math.abs(value - target[i]!), 0) / colours.length;
  expect(difference()).toBeGreaterThan(0.05);
  takeLightOff(colours, CELLS, light);
  expect(difference()).toBeLessThan(0.03);
});

import { describe, expect, test } from 'vitest';
import { ColourPyramid } from '../../../../src/encoders/descriptor/colour-pyramid.js';

/** Red rises from left to right, green from top to bottom, as shares of the picture. */
function ramp(width: number, height: number): ColourPyramid {
  const rgb = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rgb.set([(x + 0.5) / width, (y + 0.5) / height, 0.25], (y * width + x) * 3);
    }
  }
  return new ColourPyramid({ width, height, rgb });
}

describe('colour pyramid', () => {
  test.each([
    [320, 240],
    [319, 241],
    [333, 187],
  ])('a linear ramp of %i x %i reads true at every softness', (width, height) => {
    const pyramid = ramp(width, height);
    const frame = Float64Array.of(0.55 * width, 0.45 * height, 0.2 * width, 0, 0, 0.2 * height);
    const colours = new Float32Array(4 * 4 * 3);
    for (const softness of [0.05, 0.3, 0.6, 0.9]) {
      pyramid.sampleGrid(frame, 0, 4, colours, softness);
      for (let cell = 0; cell < 16; cell++) {
        const s = (2 * (cell % 4) + 1) / 4 - 1;
        const t = (2 * Math.floor(cell / 4) + 1) / 4 - 1;
        expect(colours[cell * 3]!).toBeCloseTo(0.55 + 0.2 * s, 2);
        expect(colours[cell * 3 + 1]!).toBeCloseTo(0.45 + 0.2 * t, 2);
        expect(colours[cell * 3 + 2]!).toBeCloseTo(0.25, 5);
      }
    }
  });

  test('noise averages out over a soft spot', () => {
    const rgb = Float32Array.from(
      { length: 64 * 64 * 3 },
      (_, i) => ((Math.floor(i / 3) * 7919) % 1009) / 1008,
    );
    const pyramid = new ColourPyramid({ width: 64, height: 64, rgb });
    const colours = new Float32Array(2 * 2 * 3);
    pyramid.sampleGrid(Float64Array.of(32, 32, 32, 0, 0, 32), 0, 2, colours, 0.6);
    for (const value of colours) expect(Math.abs(value - 0.5)).toBeLessThan(0.1);
  });

  test('one pixel fills every view', () => {
    const pyramid = new ColourPyramid({ width: 1, height: 1, rgb: Float32Array.of(0.1, 0.2, 0.3) });
    const colours = new Float32Array(2 * 2 * 3);
    pyramid.sampleGrid(Float64Array.of(0.5, 0.5, 0.5, 0, 0, 0.5), 0, 2, colours, 0.6);
    expect(colours[9]).toBeCloseTo(0.1, 6);
  });
});

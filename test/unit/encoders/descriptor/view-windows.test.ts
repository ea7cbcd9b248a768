import { describe, expect, test } from 'vitest';
import { FRAME_SIZE, frameCount, frameQuads } from '../../../../src/encoders/descriptor/view-frame.js';
import { viewWindows } from '../../../../src/encoders/descriptor/view-windows.js';

describe('view windows', () => {
  test('the first is the whole picture', () => {
    const quads = frameQuads(viewWindows(320, 240).slice(0, FRAME_SIZE), 320, 240);
    expect([...quads]).toEqual([0, 0, 1, 0, 1, 1, 0, 1]);
  });

  test.each([
    [320, 240],
    [277, 277],
    [240, 320],
    [370, 208],
  ])('in a picture of %i x %i every place is near the middle of one that fits its size', (width, height) => {
    const frames = viewWindows(width, height);
    for (const [x, y] of [
      [0.35, 0.4],
      [0.5, 0.5],
      [0.65, 0.6],
    ] as const) {
      let nearest = Infinity;
      for (let base = FRAME_SIZE; base < frames.length; base += FRAME_SIZE) {
        const half = Math.hypot(frames[base + 2]!, frames[base + 3]!);
        if (Math.abs(half / width - 0.265) < 0.01) {
          nearest = Math.min(
            nearest,
            Math.hypot(frames[base]! - x * width, frames[base + 1]! - y * height) / half,
          );
        }
      }
      expect(nearest).toBeLessThan(0.2);
    }
  });

  test('corners stay within 4 % of the picture', () => {
    for (const value of frameQuads(viewWindows(320, 240), 320, 240)) {
      expect(value).toBeGreaterThan(-0.04);
      expect(value).toBeLessThan(1.04);
    }
  });

  test('their number is bounded for pictures of every shape', () => {
    for (const [width, height] of [
      [2217, 35],
      [35, 2217],
      [1, 1],
      [120, 640],
    ] as const) {
      const count = frameCount(viewWindows(width, height));
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(6000);
    }
  });
});

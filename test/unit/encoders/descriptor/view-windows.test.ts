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

  test('those of other widths have these widths, and lie close together', () => {
    const frames = viewWindows(320, 240, [0.3, 0.5]);
    const counts = new Map<string, number>();
    for (let base = FRAME_SIZE; base < frames.length; base += FRAME_SIZE) {
      const width = ((2 * Math.hypot(frames[base + 2]!, frames[base + 3]!)) / 320).toFixed(3);
      counts.set(width, (counts.get(width) ?? 0) + 1);
    }
    expect([...counts.keys()]).toEqual(['0.300', '0.500']);
    expect(counts.get('0.300')).toBeGreaterThan(2 * counts.get('0.500')!);
    expect(frameCount(viewWindows(320, 240, [1]))).toBe(1);
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
      for (const widths of [undefined, [0.05], Array.from({ length: 32 }, () => 0.05)]) {
        const count = frameCount(viewWindows(width, height, widths));
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThanOrEqual(6000);
      }
    }
  });
});

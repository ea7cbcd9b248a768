import { expect, it } from 'vitest';
import { SeededVectors } from '../../../src/cli/bench/seeded-vectors.js';

it('vectors are the same bits on every machine', () => {
  const values = new Float32Array(16);
  new SeededVectors(8, 1).fill(values);
  expect(Buffer.from(values.buffer).toString('hex')).toMatchInlineSnapshot(
    `"3fe8403f525f503d7d471cbe6dd02fbe3c6b6abd72d0f53edf17c0be5d59433d16fe083b94612d3eca1ae6be03588e3e5f5dbcbc26b684bd352348bf07468dbe"`,
  );
});

it('vectors have norm 1, and another seed gives others', () => {
  const a = new Float32Array(50 * 33);
  const b = new Float32Array(50 * 33);
  new SeededVectors(33, 1).fill(a);
  new SeededVectors(33, 2).fill(b);
  for (let row = 0; row < 50; row++) {
    const own = a.subarray(row * 33, (row + 1) * 33);
    expect(Math.hypot(...own)).toBeCloseTo(1, 6);
  }
  expect(a).not.toEqual(b);
});

it('it does not matter in how many calls vectors are made', () => {
  const whole = new Float32Array(10 * 5);
  new SeededVectors(5, 9).fill(whole);
  const parts = new Float32Array(10 * 5);
  const seeded = new SeededVectors(5, 9);
  for (const [from, to] of [
    [0, 15],
    [15, 20],
    [20, 50],
  ]) {
    seeded.fill(parts.subarray(from, to));
  }
  expect(parts).toEqual(whole);
});

it('a generator may begin anywhere in the sequence, also where zeros came before', () => {
  for (const dimension of [1, 7, 64]) {
    const whole = new Float32Array(3000 * dimension);
    new SeededVectors(dimension, 4).fill(whole);
    for (const first of [1, 999, 2999]) {
      const rest = new Float32Array((3000 - first) * dimension);
      new SeededVectors(dimension, 4, first).fill(rest);
      expect(rest).toEqual(whole.subarray(first * dimension));
    }
  }
});

it('places beyond 2^32 values are those of the whole sequence', () => {
  const first = 20_600_000;
  const skipped = new SeededVectors(768, 1, first - 1);
  const two = new Float32Array(2 * 768);
  skipped.fill(two);
  const one = new Float32Array(768);
  new SeededVectors(768, 1, first).fill(one);
  expect(one).toEqual(two.subarray(768));
});

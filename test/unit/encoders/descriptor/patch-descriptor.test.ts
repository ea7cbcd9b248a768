import { describe, expect, test } from 'vitest';
import {
  coloursOfPatches,
  describeIndexedPatches,
  describeQueryPatches,
  PATCH_COUNT,
  PATCH_DIMENSION,
  VIEW_CELLS,
} from '../../../../src/encoders/descriptor/patch-descriptor.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';

const SIZE = PATCH_COUNT * PATCH_DIMENSION;

function randomColours(seed: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: VIEW_CELLS * VIEW_CELLS * 3 }, () => random.uniform());
}

function indexed(colours: Float32Array): Float32Array {
  const out = new Float32Array(SIZE);
  describeIndexedPatches(colours, out, 0);
  return out;
}

function query(colours: Float32Array, weight = 1): Float32Array {
  const out = new Float32Array(SIZE);
  describeQueryPatches(colours, weight, out, 0);
  return out;
}

function similarity(a: Float32Array, i: number, b: Float32Array, j: number): number {
  let sum = 0;
  for (let d = 0; d < PATCH_DIMENSION; d++) {
    sum += a[i * PATCH_DIMENSION + d]! * b[j * PATCH_DIMENSION + d]!;
  }
  return sum;
}

describe('patch vectors', () => {
  test('the inner product is 1 minus half the squared distance of what was measured', () => {
    const a = query(randomColours(1));
    const b = indexed(randomColours(2));
    for (const [i, j] of [
      [0, 0],
      [5, 40],
      [63, 1],
    ] as const) {
      let distance = 0;
      for (let d = 0; d < PATCH_DIMENSION - 3; d++) {
        distance += (a[i * PATCH_DIMENSION + d]! - b[j * PATCH_DIMENSION + d]!) ** 2;
      }
      expect(similarity(a, i, b, j)).toBeCloseTo(1 - distance / 2, 3);
    }
  });

  test('a patch is most like itself, with similarity 1', () => {
    const colours = randomColours(3);
    const a = query(colours);
    const b = indexed(colours);
    for (let i = 0; i < PATCH_COUNT; i++) {
      expect(similarity(a, i, b, i)).toBeCloseTo(1, 3);
      for (let j = 0; j < PATCH_COUNT; j++) {
        if (j !== i) expect(similarity(a, i, b, j)).toBeLessThan(0.6);
      }
    }
  });

  test('of patches that look alike the one at the same place is the most similar', () => {
    const plain = new Float32Array(VIEW_CELLS * VIEW_CELLS * 3).fill(0.5);
    const a = query(plain);
    const b = indexed(plain);
    expect(similarity(a, 9, b, 9)).toBeGreaterThan(similarity(a, 9, b, 10));
    expect(similarity(a, 9, b, 10)).toBeGreaterThan(similarity(a, 9, b, 11));
  });

  test('the weight of a view scales all similarities', () => {
    const colours = randomColours(4);
    const b = indexed(randomColours(5));
    expect(similarity(query(colours, 0.7), 12, b, 12)).toBeCloseTo(
      0.7 * similarity(query(colours), 12, b, 12),
      4,
    );
  });

  test('the colours come back out of indexed patches', () => {
    const colours = randomColours(6);
    const back = coloursOfPatches(indexed(colours));
    for (const [i, value] of back.entries()) {
      expect(value).toBeCloseTo(colours[i]!, 4);
    }
  });
});

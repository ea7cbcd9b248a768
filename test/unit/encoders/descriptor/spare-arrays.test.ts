import { expect, test } from 'vitest';
import { SpareArrays } from '../../../../src/encoders/descriptor/spare-arrays.js';

test('arrays that were given back are used again, for other lengths as well', () => {
  const spare = new SpareArrays();
  const first = spare.take(1000);
  const other = spare.take(1000);
  expect([first.length, other.length]).toEqual([1000, 1000]);
  expect(other.buffer).not.toBe(first.buffer);
  spare.give(first);
  const longer = spare.take(1024);
  expect(longer.length).toBe(1024);
  expect(longer.buffer).toBe(first.buffer);
  expect(spare.take(1000).buffer).not.toBe(first.buffer);
  spare.give(longer);
  expect(spare.take(1025).buffer).not.toBe(first.buffer);
  expect(spare.take(513).buffer).toBe(first.buffer);
  expect(spare.take(1).length).toBe(1);
  expect(spare.take(0).length).toBe(0);
});

test('four of a size are kept', () => {
  const spare = new SpareArrays();
  const given = Array.from({ length: 10 }, () => spare.take(8));
  for (const array of given) spare.give(array);
  const buffers = new Set(given.map(({ buffer }) => buffer));
  const taken = Array.from({ length: 10 }, () => spare.take(8));
  expect(taken.filter(({ buffer }) => buffers.has(buffer))).toHaveLength(4);
});

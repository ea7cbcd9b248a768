import { expect, it } from 'vitest';
import { PassageReadings } from '../../../../src/training/reader/passage-readings.js';

it('a reading is kept while it is among the latest, and is that of its own question and passage', () => {
  const readings = new PassageReadings({ kept: 2 });
  const first = readings.read('Where?', 'Rome is old.');
  expect(readings.read('Where?', 'Rome is old.')).toBe(first);
  // Question and passage together are the same text.
  const long = readings.read('Where?\nLima', 'Oslo is cold.');
  const short = readings.read('Where?', 'Lima\nOslo is cold.');
  expect(short).not.toBe(long);
  expect(readings.read('Where?\nLima', 'Oslo is cold.')).toBe(long);
  expect(readings.read('Where?', 'Rome is old.')).not.toBe(first);
});

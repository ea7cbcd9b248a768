import { describe, expect, it } from 'vitest';
import { PassageReadings } from '../../../../src/training/reader/passage-readings.js';
import { rightSpans } from '../../../../src/training/reader/span-reading.js';

const PASSAGE = 'Aland. The capital of Aland is Foo.';

describe('passages that were read', () => {
  it('are kept, each for its question, the latest ones', () => {
    const readings = new PassageReadings({ kept: 2 });
    const read = (question: string) => readings.read(question, PASSAGE);
    const [what, where] = [read('What is the capital?'), read('Where is Foo?')];
    expect(where).not.toEqual(what);
    expect(read('What is the capital?')).toBe(what);
    // The third takes the place of the one that was asked for longest ago.
    read('Who?');
    expect(read('What is the capital?')).toBe(what);
    const again = read('Where is Foo?');
    expect(again).not.toBe(where);
    expect(again).toEqual(where);
  });

  it('have the null answer right where no candidate is, and that is asked for', () => {
    const reading = new PassageReadings().read('What is the capital?', PASSAGE);
    const places = (accepted: readonly string[], nullAnswer: boolean) =>
      [...rightSpans(reading, new Set(accepted), nullAnswer)].flatMap((right, i) => (right === 1 ? [i] : []));
    const foo = reading.candidates.flatMap(({ normalised }, c) => (normalised === 'foo' ? [1 + c] : []));
    expect(foo.length).toBeGreaterThan(0);
    expect(places(['foo'], true)).toEqual(foo);
    expect(places(['foo'], false)).toEqual(foo);
    expect(places(['bar'], true)).toEqual([0]);
    expect(places(['bar'], false)).toEqual([]);
  });
});

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

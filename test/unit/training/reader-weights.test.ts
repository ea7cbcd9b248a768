import { expect, test } from 'vitest';
import { CANDIDATE_FEATURES } from '../../../src/generators/extractive/candidate-features.js';
import { READER_WEIGHTS } from '../../../src/generators/extractive/reader-weights.js';
import { fitExtractiveReader, readerObjective } from '../../../src/training/fit-extractive-reader.js';
import { FITTING_PASSAGES } from '../generators/extractive/general-passages.js';
import { readerExamples } from './reader-examples.js';

test('the built-in weights are the optimum on the examples that they were fitted to', () => {
  const { steepest, loss, examples } = readerObjective(readerExamples(), READER_WEIGHTS);
  expect(examples).toBeGreaterThan(3000);
  expect(steepest).toBeLessThan(0.005);
  expect(loss).toBeLessThan(0.16);
});

test('a fit lowers the objective, and is the same each time', () => {
  const examples = FITTING_PASSAGES.slice(0, 3).flatMap(({ text, questions }) =>
    questions.map(([question, ...answers]) => ({ question, passage: text, answers })),
  );
  const fitted = fitExtractiveReader(examples, { steps: 50 });
  expect(fitExtractiveReader(examples, { steps: 50 })).toEqual(fitted);
  const zero = fitExtractiveReader(examples, { steps: 0 });
  expect(CANDIDATE_FEATURES.every((name) => zero.candidate[name] === 0)).toBe(true);
  expect(readerObjective(examples, fitted).loss).toBeLessThan(readerObjective(examples, zero).loss / 4);
});

test.each([{ steps: -1 }, { steps: 1.5 }, { penalty: -1 }, { penalty: Number.NaN }, { step: 3 }])(
  'a fit with %o is refused',
  (options) => {
    const examples = [{ question: 'Where?', passage: 'It is in Rome.', answers: ['Rome'] }];
    expect(() => fitExtractiveReader(examples, options as object)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  },
);

test('examples without a reachable answer cannot be fitted', () => {
  const examples = [{ question: 'Who?', passage: 'It rains.', answers: ['Nobody knows'] }];
  expect(() => fitExtractiveReader(examples)).toThrowError(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

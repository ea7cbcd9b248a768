import { expect, test } from 'vitest';
import {
  exponentialWeight,
  granularityScores,
  summariseGranularity,
} from '../../../../src/evaluation/answers/granularity-scores.js';

const BIRTH = [['4 August 1961', 'August 4, 1961'], ['August 1961'], ['1961'], ['the 1960s']];

test.each([
  ['august 4 1961', 1, 1, 1],
  ['August 1961', 1, Math.exp(-1), 2],
  ['1960s', 1, Math.exp(-3), 4],
  ['1962', 0, 0, undefined],
  ['', 0, 0, undefined],
  ['It was in 1961.', 0, 0, undefined],
])('%j: accuracy %d, informativeness %d, level %s', (answer, accuracy, informativeness, level) => {
  expect(granularityScores(answer, BIRTH)).toEqual({ accuracy, informativeness, level, isAbstention: false });
});

test('contained answers count where that is asked for, at the finest level that is there', () => {
  const { level } = granularityScores('It was in August 1961, in Honolulu.', BIRTH, { matches: 'contained' });
  expect(level).toBe(2);
  expect(granularityScores('in 19612', BIRTH, { matches: 'contained' }).accuracy).toBe(0);
});

test('a judge and a weight function of one’s own', () => {
  const matches = (answer: string, gold: string) => answer.length === gold.length;
  const weight = (level: number) => 1 / level;
  expect(granularityScores('1234', BIRTH, { matches, weight })).toEqual({
    accuracy: 1,
    informativeness: 1 / 3,
    level: 3,
    isAbstention: false,
  });
});

test('an abstention scores 0, is never held against a gold answer, and is counted by itself', () => {
  const abstained = granularityScores(null, BIRTH, { matches: () => true });
  expect(abstained).toEqual({ accuracy: 0, informativeness: 0, level: undefined, isAbstention: true });
  const scores = [abstained, granularityScores('1961', BIRTH), granularityScores('x', BIRTH)];
  const summary = summariseGranularity(scores);
  expect(summary).toMatchObject({ questions: 3, abstentions: 1, accuracy: 1 / 3 });
  expect(summary.informativeness).toBeCloseTo(Math.exp(-2) / 3, 15);
});

test('refuses empty levels, weights that rise, and a summary of nothing', () => {
  expect(() => granularityScores('x', [])).toThrow(/level/);
  expect(() => granularityScores('x', [['x'], []])).toThrow(/level/);
  expect(() => granularityScores('x', BIRTH, { weight: (level) => level })).toThrow(/level 2 is 2/);
  expect(() => granularityScores('x', BIRTH, { weight: () => Number.NaN })).toThrow(/level 1/);
  expect(() => granularityScores('x', BIRTH, { matches: 'fuzzy' as 'equal' })).toThrow(/fuzzy/);
  expect(() => granularityScores('x', BIRTH, { rate: 1 } as object)).toThrow(/no option rate/);
  expect(() => exponentialWeight(-1)).toThrow(/rate/);
  expect(() => summariseGranularity([])).toThrow(/no question/);
});

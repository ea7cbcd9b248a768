import { expect, test } from 'vitest';
import { analyseQuestion } from '../../../../src/generators/extractive/question-analysis.js';
import { wordStem } from '../../../../src/generators/extractive/word-stem.js';

test.each([
  ['Which capital city does it have?', ['city', 'capital'], 'any', false],
  ['What is the official currency of this country?', ['currency', 'official'], 'any', false],
  ['What kind of money do people use?', ['money'], 'any', false],
  ['Which countries border it?', ['countries'], 'any', true],
  ['Name the languages of this place.', ['languages'], 'any', true],
  ['How many square kilometres does it cover?', ['kilometres', 'square'], 'number', false],
  ['How tall is it?', ['tall'], 'number', false],
  ['Who painted it?', [], 'person', false],
  ['When was it built?', [], 'time', false],
  ['In what year was it built?', ['year'], 'time', false],
  ['Where does it stand?', [], 'place', false],
] as const)('%s', (question, focus, shape, plural) => {
  const analysed = analyseQuestion(question);
  expect(analysed.shape).toBe(shape);
  if (shape !== 'number') expect(analysed.plural).toBe(plural);
  expect(analysed.focus).toEqual(focus.map(wordStem));
});

test('who does something is told from what is done', () => {
  expect(analyseQuestion('Who painted it?').asksSubject).toBe(true);
  expect(analyseQuestion('What does it eat?').asksSubject).toBe(false);
});

test('the thing pointed at is no content word', () => {
  const { words } = analyseQuestion('What is the capital of this country?');
  expect([...words.keys()]).toEqual(['capital']);
});

test('of several sentences the last one asks that has a question word or an imperative', () => {
  const plain = analyseQuestion('Which city is the capital here?');
  const led = analyseQuestion(
    'My question is about the country whose flag is at the lower left. Which city is the capital here?',
  );
  const { words, ...form } = led;
  const { words: plainWords, ...plainForm } = plain;
  expect(form).toEqual(plainForm);
  for (const [stem, weight] of plainWords) expect(words.get(stem)).toBe(weight);
  expect(words.get('lower')).toBeLessThan(0.2);
  expect(analyseQuestion('Name the capital of France. Thanks a lot.').focus).toEqual(['capital']);
  expect(analyseQuestion('He painted it. When was he born?').shape).toBe('time');
});

import { expect, test } from 'vitest';
import { wordStem } from '../../../../src/generators/extractive/word-stem.js';

test.each([
  ['border', 'borders', 'bordering', 'bordered'],
  ['country', 'countries', 'Country’s'],
  ['dial', 'dials', 'dialling', 'dialled'],
  ['speak', 'speaks', 'speaking', 'spoken'],
  ['official', 'officially'],
  ['person', 'people', 'persons'],
  ['name', 'names', 'named', 'called'],
])('%s has the stem of its forms', (word, ...forms) => {
  for (const form of forms) expect(wordStem(form), form).toBe(wordStem(word));
});

test('different words keep different stems', () => {
  const words = [
    'sing',
    'red',
    'bus',
    'gas',
    'glass',
    'need',
    'Paris',
    'family',
    'area',
    'nation',
    'national',
  ];
  expect(new Set(words.map(wordStem)).size).toBe(words.length);
});

import { describe, expect, test } from 'vitest';
import { countryCorpus } from '../../../../src/demo/countries/country-corpus.js';
import { countryFacts } from '../../../../src/demo/countries/country-facts.js';
import { countryQuestions } from '../../../../src/demo/countries/country-questions.js';
import { QUESTION_WORDINGS } from '../../../../src/demo/countries/question-wordings.js';
import { pseudoRelevance } from '../../../../src/evaluation/pseudo-relevance.js';
import { normaliseAnswer } from '../../../../src/generators/normalise-answer.js';

const questions = countryQuestions({ seed: 5, split: 'evaluation', count: 750 });

describe('a set of questions', () => {
  test('is the same for a seed and another for another seed', () => {
    expect(countryQuestions({ seed: 5, split: 'evaluation', count: 750 })).toEqual(questions);
    expect(countryQuestions({ seed: 6, split: 'evaluation', count: 750 })).not.toEqual(questions);
  });

  test('asks about every country in turn, with ids of their own', () => {
    expect(new Set(questions.slice(0, 250).map(({ cca2 }) => cca2)).size).toBe(250);
    expect(new Set(questions.map(({ id }) => id)).size).toBe(750);
  });

  test('has every kind, and every wording of the split', () => {
    const asked = new Set(questions.map(({ question }) => question));
    const wordings = Object.values(QUESTION_WORDINGS).flatMap(({ evaluation }) => evaluation);
    expect([...asked].sort()).toEqual([...new Set(wordings)].sort());
  });

  test('names no country', () => {
    const wordings = Object.values(QUESTION_WORDINGS).flatMap(({ training, evaluation }) => [
      ...training,
      ...evaluation,
    ]);
    for (const { title } of countryFacts()) {
      for (const wording of wordings)
        expect(` ${normaliseAnswer(wording)} `).not.toContain(` ${normaliseAnswer(title)} `);
    }
  });

  test('has answers that a passage of its country holds', () => {
    const lines = new Map(countryCorpus((cca2) => cca2).map((line) => [line.metadata!['cca2'], line]));
    for (const { cca2, answers, question } of questions) {
      const held = lines
        .get(cca2)!
        .passages.some(({ text }) => pseudoRelevance(text, answers.slice(0, 1)) !== 'none');
      expect(held, `${question} ${cca2} ${answers[0]}`).toBe(true);
    }
  });
});

test('training and evaluation share no wording', () => {
  for (const { training, evaluation } of Object.values(QUESTION_WORDINGS)) {
    expect(training.filter((wording) => evaluation.includes(wording))).toEqual([]);
  }
});

test('a list is accepted whole, and a part of it only where one is asked for', () => {
  const find = (cca2: string, kind: string) => {
    for (let seed = 0; seed < 500; seed++) {
      const [question] = countryQuestions({ seed, split: 'training', countries: [cca2] });
      if (question!.kind === kind) return question!.answers;
    }
    throw new Error('not drawn');
  };
  expect(find('ZA', 'capital')).toEqual([
    'Pretoria, Bloemfontein and Cape Town',
    'Pretoria',
    'Bloemfontein',
    'Cape Town',
  ]);
  expect(find('AD', 'neighbours')).toEqual(['France and Spain']);
  expect(find('VA', 'area')).toEqual(['0.44 square kilometres', '0.44', '0.44 km²']);
});

test('given countries are asked about in their order, unknown ones refused', () => {
  const asked = countryQuestions({ seed: 1, split: 'evaluation', countries: ['FR', 'aq', 'FR'] });
  expect(asked.map(({ cca2 }) => cca2)).toEqual(['FR', 'AQ', 'FR']);
  expect(() => countryQuestions({ seed: 1, split: 'evaluation', countries: ['XX'] })).toThrowError(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

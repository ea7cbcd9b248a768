import { describe, expect, test } from 'vitest';
import { countryFacts } from '../../../../src/demo/countries/country-facts.js';
import { type PlaceQuestion, placeQuestions } from '../../../../src/demo/countries/place-questions.js';
import { PLACE_LEADS, PLACE_WORDS } from '../../../../src/demo/countries/place-wordings.js';
import { QUESTION_WORDINGS } from '../../../../src/demo/countries/question-wordings.js';
import { sameFlag } from '../../../../src/demo/countries/same-flags.js';
import { NEVER_TRAINED } from '../../../../src/demo/learning/never-trained.js';
import { arrangementOf, PLACE_NAMES } from '../../../../src/demo/pictures/flag-places.js';
import { normaliseAnswer } from '../../../../src/generators/normalise-answer.js';

const COUNT = 900;
const training = placeQuestions({ seed: 5, split: 'training', count: COUNT });
const evaluation = placeQuestions({ seed: 5, split: 'evaluation', count: COUNT });
const sets = [
  ['training', training],
  ['evaluation', evaluation],
] as const;

/** The leads of a split with every word of a place. */
function leadsOf(split: 'training' | 'evaluation', { place }: PlaceQuestion): string[] {
  const { adjective, at } = PLACE_WORDS[place];
  return PLACE_LEADS[split].flatMap((lead) => [
    ...adjective.map((word) => lead.replace('{adjective}', word)),
    ...at.map((words) => lead.replace('{at}', words)),
  ]);
}

describe('questions about one of several flags', () => {
  test('are the same for a seed and others for another seed', () => {
    expect(placeQuestions({ seed: 5, split: 'training', count: COUNT })).toEqual(training);
    expect(placeQuestions({ seed: 6, split: 'training', count: COUNT })).not.toEqual(training);
    expect(placeQuestions({ seed: 5, split: 'training', count: 0 })).toEqual([]);
  });

  test.each(sets)(
    'of %s ask about every place equally often, with pictures and ids of their own',
    (_, questions) => {
      for (const name of PLACE_NAMES) {
        expect(questions.filter(({ place }) => place === name).length).toBe(COUNT / PLACE_NAMES.length);
      }
      expect(new Set(questions.map(({ id }) => id)).size).toBe(COUNT);
      expect(new Set(questions.map(({ picture }) => picture.seed)).size).toBe(COUNT);
    },
  );

  test.each(sets)(
    'of %s show the flag asked about at its place, and none that looks like another',
    (_, questions) => {
      for (const { cca2, place, picture } of questions) {
        const { flags, places } = picture;
        expect(flags[places.indexOf(place)]).toBe(cca2);
        expect(arrangementOf(places)).toBeDefined();
        expect(flags.length).toBe(places.length);
        for (const [i, flag] of flags.entries()) {
          expect(
            flags.slice(0, i).some((other) => sameFlag(other, flag)),
            `${flags}`,
          ).toBe(false);
        }
      }
      expect(new Set(questions.map(({ picture }) => picture.flags.length))).toEqual(new Set([2, 3, 4]));
    },
  );

  test.each(sets)(
    'of %s are a lead and a wording of their split, and use all of them',
    (split, questions) => {
      const leads = new Set<string>();
      const wordings = new Set<string>();
      for (const question of questions) {
        const lead = leadsOf(split, question).find((words) => question.question.startsWith(`${words} `))!;
        const wording = question.question.slice(lead.length + 1);
        expect(QUESTION_WORDINGS[question.kind][split]).toContain(wording);
        leads.add(lead);
        wordings.add(wording);
      }
      const every = PLACE_NAMES.flatMap((place) => leadsOf(split, { place } as PlaceQuestion));
      expect(leads.size).toBeGreaterThan(0.9 * new Set(every.filter((lead) => !lead.includes('{'))).size);
      expect(wordings.size).toBe(Object.values(QUESTION_WORDINGS).flatMap((kind) => kind[split]).length);
    },
  );

  test('of training show no country that nothing is trained on, those of evaluation show all', () => {
    const shown = (questions: readonly PlaceQuestion[]) =>
      new Set(questions.flatMap(({ picture }) => picture.flags));
    expect([...shown(training)].filter((cca2) => NEVER_TRAINED.has(cca2))).toEqual([]);
    expect(shown(training).size).toBe(countryFacts().length - NEVER_TRAINED.size);
    expect(shown(evaluation).size).toBe(countryFacts().length);
    expect(new Set(evaluation.slice(0, 250).map(({ cca2 }) => cca2)).size).toBe(250);
  });
});

test('training and evaluation share no lead and no picture', () => {
  const normalised = (split: 'training' | 'evaluation') => PLACE_LEADS[split].map(normaliseAnswer);
  expect(normalised('training').filter((lead) => normalised('evaluation').includes(lead))).toEqual([]);
  for (const leads of Object.values(PLACE_LEADS)) expect(leads.length).toBeGreaterThanOrEqual(6);
  const seeds = new Set(training.map(({ picture }) => picture.seed));
  expect(evaluation.filter(({ picture }) => seeds.has(picture.seed))).toEqual([]);
});

import { SeededRandom } from '../../ranking/seeded-random.js';
import { countryFacts } from '../countries/country-facts.js';
import { type CountryQuestion, countryQuestions } from '../countries/country-questions.js';
import { drawInTurn } from '../countries/draw-in-turn.js';
import { placeQuestions } from '../countries/place-questions.js';
import { NEVER_TRAINED } from './never-trained.js';
import type { TrainingPicture } from './training-picture-maker.js';

/** A picture, and a question about one of its flags. */
export interface TrainingTask {
  readonly question: CountryQuestion;
  readonly picture: TrainingPicture;
  /** Number of the flag that is asked about. */
  readonly flag: number;
}

/** How many to draw. */
export interface TrainingTaskOptions {
  /** `train`, or another name for what is measured by while training. */
  readonly name: string;
  readonly oneFlag: number;
  readonly severalFlags: number;
}

/**
 * Pictures of trained countries with questions in wordings of the training split: first those of one flag, then those of two to four. The
 * same for a name on every machine; no picture of an evaluation is among them.
 */
export function trainingTasks({ name, oneFlag, severalFlags }: TrainingTaskOptions): TrainingTask[] {
  const trained = countryFacts()
    .map(({ cca2 }) => cca2)
    .filter((cca2) => !NEVER_TRAINED.has(cca2));
  const countries = drawInTurn(trained, oneFlag, new SeededRandom(`countries to ${name}`));
  const alone = countryQuestions({ seed: name, split: 'training', countries }).map((question) => ({
    question,
    picture: { flags: [question.cca2], seed: `${name} ${question.id}` },
    flag: 0,
  }));
  const together = placeQuestions({ seed: name, split: 'training', count: severalFlags }).map(
    ({ picture: { flags, places, seed }, ...question }) => ({
      question,
      picture: { flags, places, seed: String(seed) },
      flag: flags.indexOf(question.cca2),
    }),
  );
  return [...alone, ...together];
}

import { SeededRandom } from '../../ranking/seeded-random.js';
import { drawLead } from '../countries/place-questions.js';
import { QUESTION_WORDINGS } from '../countries/question-wordings.js';
import type { PlaceExample } from './train-places.js';
import type { TrainingGround } from './training-ground.js';

/** Questions with which each picture is asked. */
const QUESTIONS = 6;

/** Examples of places, and the questions whose rows they name. */
export interface PlaceExamples {
  readonly examples: readonly PlaceExample[];
  readonly questions: readonly string[];
}

/**
 * Each training picture with six questions about the flag that its task asks about. Leads and wordings are drawn anew for each, so that only
 * the words of places go together with places.
 */
export function placeExamples(
  { tasks, seen }: Pick<TrainingGround, 'tasks' | 'seen'>,
  seed: number,
): PlaceExamples {
  const random = new SeededRandom(`questions on places ${seed}`);
  const wordings = Object.values(QUESTION_WORDINGS).flatMap(({ training }) => training);
  const questions: string[] = [];
  const examples = tasks.flatMap(({ picture, flag }, i) =>
    Array.from({ length: QUESTIONS }, () => {
      const place = picture.places?.[flag];
      const wording = random.pick(wordings);
      const question = questions.length;
      questions.push(place === undefined ? wording : `${drawLead(place, 'training', random)} ${wording}`);
      return { picture: seen[i]!, flag, question };
    }),
  );
  return { examples, questions };
}

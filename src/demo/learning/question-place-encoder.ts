import { NgramTextEncoder } from '../../encoders/ngram/ngram-text-encoder.js';
import { PLACE_LEADS, PLACE_WORDS } from '../countries/place-wordings.js';
import { QUESTION_WORDINGS } from '../countries/question-wordings.js';

const DIMENSION = 512;

/**
 * Vectors of questions for the tower that learns where they want one to look. The encoder of passages leaves out words that no passage
 * has, as those of places are; this one is fitted to all wordings of training: leads with the words of every place, and questions.
 */
export function questionPlaceEncoder(): NgramTextEncoder {
  const encoder = new NgramTextEncoder({ dimension: DIMENSION });
  const leads = PLACE_LEADS.training.flatMap((lead) =>
    Object.values(PLACE_WORDS).flatMap(({ adjective, at }) =>
      lead.includes('{at}')
        ? at.map((words) => lead.replace('{at}', words))
        : adjective.map((words) => lead.replace('{adjective}', words)),
    ),
  );
  encoder.fit([...leads, ...Object.values(QUESTION_WORDINGS).flatMap(({ training }) => training)]);
  return encoder;
}

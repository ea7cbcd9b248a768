import type { Entity } from '../../corpus/records.js';
import type { ImageInput, ImageQuery } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import type { CountryQuestion } from '../countries/country-questions.js';
import { type AnswerScores, ENTITY_DEPTH, scoreAnswer } from '../score-answer.js';
import type { AblationSystem, AblationSystems } from './ablation-systems.js';

/** A question about a picture. */
export interface AblationQuestion {
  readonly question: CountryQuestion;
  readonly picture: ImageInput;
  /** The picture, encoded. */
  readonly query: ImageQuery;
}

/** What all systems score for one question. */
export interface AblationScores {
  readonly untrained: AnswerScores;
  /** Per seed the systems after each stage. */
  readonly trained: readonly (readonly AnswerScores[])[];
}

/**
 * Asks all systems one question.
 *
 * @param entities - of the corpus; the metadata of each names its `cca2`
 * @throws GranuleError `INVALID_ARGUMENT` where the country has no entity; `ABORTED`; what parts throw
 */
export async function askAllSystems(
  { question, picture, query }: AblationQuestion,
  entities: readonly Entity[],
  { untrained, trained }: AblationSystems,
  signal?: AbortSignal,
): Promise<AblationScores> {
  const gold = entities.find(({ metadata }) => metadata?.['cca2'] === question.cca2);
  if (gold === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `the corpus has no entity for ${question.cca2}`, {
      cca2: question.cca2,
    });
  }
  const options = { k: ENTITY_DEPTH, question: question.question, ...(signal && { signal }) };
  const score = async (system: AblationSystem) => {
    const hits = await system.entities.retrieveEncoded(query, options);
    return scoreAnswer({ question, picture, gold, hits }, system, { signal });
  };
  // One after the other: what is remembered is that of the last question.
  const scores: AnswerScores[][] = [];
  const alone = await score(untrained);
  for (const systems of trained) {
    const ofSeed: AnswerScores[] = [];
    for (const system of systems) ofSeed.push(await score(system));
    scores.push(ofSeed);
  }
  return { untrained: alone, trained: scores };
}

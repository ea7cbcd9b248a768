import { hashText } from '../../encoders/ngram/feature-hash.js';
import { GranuleError } from '../../errors.js';
import { pseudoRelevance } from '../../evaluation/pseudo-relevance.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import type { Matrix } from '../../vectors/matrix.js';
import { type CountryFacts, countryFacts } from '../countries/country-facts.js';
import { acceptedAnswers } from '../countries/country-questions.js';
import { drawLead } from '../countries/place-questions.js';
import { QUESTION_KINDS, QUESTION_WORDINGS, type QuestionKind } from '../countries/question-wordings.js';
import { PLACE_NAMES } from '../pictures/flag-places.js';
import type { CountryKnowledge } from './country-knowledge.js';
import { NEVER_TRAINED } from './never-trained.js';

/** A question about a country, with what answers it. */
export interface QuestionExample {
  /** Row of the country in the knowledge. */
  readonly entity: number;
  readonly kind: QuestionKind;
  readonly question: string;
  /** Accepted answers. */
  readonly answers: readonly string[];
  /** Rows of the country's passages that hold one. */
  readonly positives: readonly number[];
}

/** Questions with their frozen vectors. */
export interface QuestionSet {
  readonly questions: readonly QuestionExample[];
  /** Text vectors of `question + " " + title`. */
  readonly vectors: Matrix;
}

/** What to learn from, and what to choose by: questions about other countries. */
export interface QuestionExamples {
  readonly train: QuestionSet;
  readonly dev: QuestionSet;
}

/** One country of so many is kept for `dev`. */
const DEV_SHARE = 9;
/** One question of so many is asked about one of several flags, and says which. */
const LEAD_SHARE = 3;

/**
 * Every training wording of every kind of question about every country of the knowledge, where one of the country's passages holds an accepted
 * answer. One question of three has a training lead about a flag's place before it. The same each time.
 *
 * @param knowledge - of countries that may be trained on
 * @throws GranuleError `INVALID_ARGUMENT` for a country that is `NEVER_TRAINED`; `ABORTED`
 */
export async function questionExamples(
  knowledge: CountryKnowledge,
  options: { readonly signal?: AbortSignal } = {},
): Promise<QuestionExamples> {
  const facts = new Map(countryFacts().map((country) => [country.cca2, country]));
  const passagesOf = knowledge.titles.map((): number[] => []);
  for (const [row, entity] of knowledge.passageEntity.entries()) passagesOf[entity]!.push(row);
  const random = new SeededRandom('leads of training questions');
  const [train, dev]: [QuestionExample[], QuestionExample[]] = [[], []];
  for (const [entity, cca2] of knowledge.cca2.entries()) {
    if (NEVER_TRAINED.has(cca2)) throw new GranuleError('INVALID_ARGUMENT', `${cca2} is never trained on`);
    const side = hashText(`dev ${cca2}`) % DEV_SHARE === 0 ? dev : train;
    for (const kind of QUESTION_KINDS) {
      const answered = answerOf(knowledge, facts.get(cca2)!, kind, passagesOf[entity]!);
      if (answered === undefined) continue;
      for (const wording of QUESTION_WORDINGS[kind].training) {
        const leads = random.integer(1, LEAD_SHARE) === 1;
        const lead = leads ? `${drawLead(random.pick(PLACE_NAMES), 'training', random)} ` : '';
        side.push({ ...answered, entity, kind, question: lead + wording });
      }
    }
  }
  const set = async (questions: readonly QuestionExample[]): Promise<QuestionSet> => {
    const expanded = questions.map(({ question, entity }) => `${question} ${knowledge.titles[entity]!}`);
    return { questions, vectors: (await knowledge.encoder.encodeQueries(expanded, options)).vectors };
  };
  return { train: await set(train), dev: await set(dev) };
}

/** What answers a kind of question, unless none of the passages does. */
function answerOf(
  { texts }: CountryKnowledge,
  facts: CountryFacts,
  kind: QuestionKind,
  passages: readonly number[],
): Pick<QuestionExample, 'answers' | 'positives'> | undefined {
  const answers = acceptedAnswers(facts, kind);
  const positives = passages.filter((row) => pseudoRelevance(texts[row]!, answers) !== 'none');
  return positives.length === 0 ? undefined : { answers, positives };
}

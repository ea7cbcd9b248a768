import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import { type CountryFacts, countryFacts } from './country-facts.js';
import { grouped } from './country-passages.js';
import { englishList } from './english-list.js';
import { QUESTION_WORDINGS, type QuestionKind } from './question-wordings.js';

/** A question about a country that it does not name, with every answer that is accepted. */
export interface CountryQuestion {
  readonly id: string;
  /** The country that the question's picture shows. */
  readonly cca2: string;
  readonly kind: QuestionKind;
  readonly question: string;
  /** Accepted answers, the one in the passages' form first. */
  readonly answers: readonly string[];
}

/** Options of {@link countryQuestions}. */
export interface CountryQuestionOptions {
  readonly seed: number | string;
  /** Training and evaluation share no wording; a seed gives each its own draw. */
  readonly split: 'training' | 'evaluation';
  /** How many questions; countries are drawn without replacement until all have had their turn, then again. */
  readonly count?: number;
  /** Instead of `count`: the countries to ask about, one question each, by two-letter code. */
  readonly countries?: readonly string[];
}

/**
 * A seeded set of questions. For each country a kind is drawn among those whose fact is recorded, then a wording of the
 * split.
 *
 * Accepted answers: a fact of several parts (neighbours, languages, currencies, capitals ...) accepts the whole list,
 * joined by commas and `and`, in alphabetical order, as the passages tell it; one part of
 * it is enough only for capitals, currencies, domains and dialling codes, which questions ask for in the singular. An
 * area is accepted with and without its unit. No other order and no part of a
 * list of neighbours or languages is an exact match (F1 gives it credit). Comparison is that of `normaliseAnswer`.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a country that is not known
 */
export function countryQuestions(options: CountryQuestionOptions): CountryQuestion[] {
  const random = new SeededRandom(`${options.split} questions ${options.seed}`);
  const countries = options.countries?.map(factsByCode) ?? drawCountries(options.count ?? 0, random);
  return countries.map((facts, place) => {
    const kinds = (Object.keys(QUESTION_WORDINGS) as QuestionKind[]).filter(
      (kind) => ANSWERS[kind](facts).length > 0,
    );
    const kind = random.pick(kinds);
    return {
      id: `${options.split}-${place + 1}-${facts.cca2.toLowerCase()}-${kind}`,
      cca2: facts.cca2,
      kind,
      question: random.pick(QUESTION_WORDINGS[kind][options.split]),
      answers: [...new Set(ANSWERS[kind](facts))],
    };
  });
}

function factsByCode(cca2: string): CountryFacts {
  const facts = countryFacts().find((country) => country.cca2 === cca2.toUpperCase());
  if (facts === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `no country has the two-letter code "${cca2}"`, { cca2 });
  }
  return facts;
}

function drawCountries(count: number, random: SeededRandom): CountryFacts[] {
  const drawn: CountryFacts[] = [];
  while (drawn.length < count) {
    const round = shuffled(countryFacts(), random);
    drawn.push(...round.slice(0, count - drawn.length));
  }
  return drawn;
}

/** Accepted answers per kind; none where the fact is not recorded. */
const ANSWERS: Readonly<Record<QuestionKind, (facts: CountryFacts) => readonly string[]>> = {
  capital: ({ capitals }) => [...whole(capitals), ...capitals],
  currency: ({ currencies }) => {
    const names = currencies.map(({ name }) => name);
    return [...whole(names), ...names];
  },
  neighbours: ({ neighbours }) => whole(neighbours.map(({ title }) => title)),
  languages: ({ languages }) => whole(languages),
  region: ({ region }) => [region],
  subregion: ({ subregion }) => (subregion === undefined ? [] : [subregion]),
  demonym: ({ demonym }) => (demonym === undefined ? [] : [demonym]),
  domain: ({ domains }) => [...whole(domains), ...domains],
  diallingCode: ({ callingCodes }) => [...whole(callingCodes), ...callingCodes],
  area: ({ area }) =>
    area === undefined ? [] : [`${grouped(area)} square kilometres`, grouped(area), `${grouped(area)} km²`],
  officialName: ({ official }) => [official],
};

function whole(parts: readonly string[]): string[] {
  return parts.length === 0 ? [] : [englishList(parts)];
}

import { SeededRandom } from '../../ranking/seeded-random.js';
import { NEVER_TRAINED } from '../learning/never-trained.js';
import { PLACE_NAMES, PLACES_TOGETHER, type PlaceName } from '../pictures/flag-places.js';
import type { SeveralFlagsSource } from '../pictures/picture-source.js';
import { countryFacts } from './country-facts.js';
import { type CountryQuestion, countryQuestions } from './country-questions.js';
import { drawInTurn } from './draw-in-turn.js';
import { PLACE_LEADS, PLACE_WORDS } from './place-wordings.js';
import { sameFlag } from './same-flags.js';

/** A question about one of the flags in a picture, which it names by its place. */
export interface PlaceQuestion extends CountryQuestion {
  /** Where the flag stands that is asked about. */
  readonly place: PlaceName;
  readonly picture: SeveralFlagsSource & { readonly places: readonly PlaceName[] };
}

/** Options of {@link placeQuestions}. */
export interface PlaceQuestionOptions {
  readonly seed: number | string;
  /**
   * Training and evaluation share no lead, no wording of the question and no picture; training shows and asks about no country
   * of `NEVER_TRAINED`.
   */
  readonly split: 'training' | 'evaluation';
  readonly count: number;
}

/**
 * A seeded set of questions about pictures of several flags: a lead that says which flag is meant, and a question of
 * `countryQuestions`. Places, and countries to ask about, are drawn without replacement until all have had their turn,
 * then again; the number of flags evenly among those that the place allows, and the other flags evenly among those that
 * look like none in the picture.
 */
export function placeQuestions({ seed, split, count }: PlaceQuestionOptions): PlaceQuestion[] {
  const random = new SeededRandom(`${split} questions on places ${seed}`);
  const codes = countryFacts()
    .map(({ cca2 }) => cca2)
    .filter((cca2) => split === 'evaluation' || !NEVER_TRAINED.has(cca2));
  const places = drawInTurn(PLACE_NAMES, count, random);
  const countries = drawInTurn(codes, count, random);
  const asked = countryQuestions({ seed: `on places ${seed}`, split, countries });
  return asked.map((question, i) => {
    const place = places[i]!;
    const together = drawTogether(place, random);
    const flags = drawFlags(question.cca2, together.indexOf(place), together.length, codes, random);
    const id = `${split}-${i + 1}-${question.cca2.toLowerCase()}-${place.replace(' ', '-')}-${question.kind}`;
    return {
      ...question,
      id,
      question: `${drawLead(place, split, random)} ${question.question}`,
      place,
      picture: { flags, places: together, seed: `${seed} ${id}` },
    };
  });
}

/** Places of a picture, one of them given; each number of flags that the place allows is equally likely. */
function drawTogether(place: PlaceName, random: SeededRandom): readonly PlaceName[] {
  const ways = PLACES_TOGETHER.filter((names) => names.includes(place));
  const count = random.pick([...new Set(ways.map(({ length }) => length))]);
  return random.pick(ways.filter(({ length }) => length === count));
}

/** So many countries, the one asked about at its position. */
function drawFlags(
  asked: string,
  position: number,
  count: number,
  codes: readonly string[],
  random: SeededRandom,
): string[] {
  const others: string[] = [];
  while (others.length < count - 1) {
    const drawn = random.pick(codes);
    if (![asked, ...others].some((cca2) => sameFlag(cca2, drawn))) others.push(drawn);
  }
  return others.toSpliced(position, 0, asked);
}

/** What is said before a question about the flag at a place: one of the leads of a split. */
export function drawLead(place: PlaceName, split: 'training' | 'evaluation', random: SeededRandom): string {
  const { adjective, at } = PLACE_WORDS[place];
  return random
    .pick(PLACE_LEADS[split])
    .replace('{adjective}', random.pick(adjective))
    .replace('{at}', random.pick(at));
}

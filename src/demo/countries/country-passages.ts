import { hashText } from '../../encoders/ngram/feature-hash.js';
import type { CountryFacts, CountryName } from './country-facts.js';
import { type CountryRelations, countryRelations } from './country-relations.js';
import { englishList } from './english-list.js';

/** What a passage is about. */
export const PASSAGE_TOPICS = ['geography', 'people', 'money', 'neighbours'] as const;
export type PassageTopic = (typeof PASSAGE_TOPICS)[number];

/** A passage about a country ends before the sentence that would take it past this many words. */
const MOST_WORDS = 125;

/**
 * About 100 words on one topic, headed by the country's title, from the facts alone. Which of several wordings tells a
 * fact depends on the country's code, so that no two passages need agree in form.
 */
export function countryPassage(facts: CountryFacts, topic: PassageTopic): string {
  const writer = new PassageWriter(facts, topic);
  const relations = countryRelations(facts);
  WRITERS[topic](writer, facts, relations);
  return writer.text();
}

/** Chooses among wordings and joins sentences until the passage is long enough. */
class PassageWriter {
  readonly #facts: CountryFacts;
  readonly #topic: PassageTopic;
  readonly #sentences: string[];
  #choices = 0;

  constructor(facts: CountryFacts, topic: PassageTopic) {
    this.#facts = facts;
    this.#topic = topic;
    const subject = this.pick([`${topic}`, `facts about its ${topic}`, '']);
    this.#sentences = [subject === '' ? `${facts.title}.` : `${facts.title}: ${subject}.`];
  }

  pick<T>(wordings: readonly T[]): T {
    const choice = hashText(`${this.#facts.cca2} ${this.#topic} ${this.#choices++}`);
    return wordings[choice % wordings.length]!;
  }

  /** Adds one of the wordings as a sentence; the first letter is made a capital. */
  say(...wordings: readonly string[]): void {
    const sentence = this.pick(wordings);
    this.#sentences.push(sentence.charAt(0).toUpperCase() + sentence.slice(1).replace(/\.\.$/u, '.'));
  }

  text(): string {
    let text = this.#sentences[0]!;
    for (const sentence of this.#sentences.slice(1)) {
      if (`${text} ${sentence}`.split(' ').length > MOST_WORDS) break;
      text += ` ${sentence}`;
    }
    return text;
  }
}

type TopicWriter = (writer: PassageWriter, facts: CountryFacts, relations: CountryRelations) => void;

const WRITERS: Readonly<Record<PassageTopic, TopicWriter>> = {
  geography: writeGeography,
  people: writePeople,
  money: writeMoney,
  neighbours: writeNeighbours,
};

function writeGeography(writer: PassageWriter, facts: CountryFacts, relations: CountryRelations): void {
  const { name: x } = facts;
  const [is, lies, covers] = facts.plural ? ['are', 'lie', 'cover'] : ['is', 'lies', 'covers'];
  const part = inRegion(facts.subregion);
  const region = inRegion(facts.region)!;
  if (part === undefined) {
    writer.say(
      `${x} ${lies} in ${region}, and no closer subregion is recorded.`,
      `The region of ${x} is ${region}.`,
    );
  } else {
    writer.say(
      `${x} ${lies} in the subregion of ${part}; the continent or wider region is ${region}.`,
      `${x} ${is} part of the subregion of ${part} and of the continent or wider region of ${region}.`,
      `On the map of the world ${x} ${is} found in ${region}, its continent or region, and there in the subregion of ${part}.`,
      `The subregion of ${x} is ${part}, and the continent or wider region of the world is ${region}.`,
    );
  }
  sayCapital(writer, facts);
  if (facts.area !== undefined) {
    const area = grouped(facts.area);
    writer.say(
      `The area of ${x} is ${area} square kilometres.`,
      `${x} ${covers} an area of ${area} square kilometres.`,
      `Its area is ${area} square kilometres.`,
      `The surface of ${x} covers an area of ${area} square kilometres.`,
    );
    writer.say(
      `In a list by size it is number ${relations.areaRank} of the ${relations.measured} countries and territories whose size is known here.`,
      `Sorted by size, from the largest down, it stands at place ${relations.areaRank} of ${relations.measured}.`,
    );
    sayAreaNeighbours(writer, relations);
  }
  sayCoast(writer, facts);
  const [latitude, longitude] = [Math.abs(facts.latitude), Math.abs(facts.longitude)].map((degrees) =>
    degreesOf(Math.round(degrees)),
  );
  const [north, east] = [facts.latitude < 0 ? 'south' : 'north', facts.longitude < 0 ? 'west' : 'east'];
  writer.say(
    `Its position on the globe is given as ${latitude} ${north} and ${longitude} ${east}, rounded to whole degrees.`,
    `A point that marks it on a map has a latitude of about ${latitude} ${north} and a longitude of about ${longitude} ${east}.`,
  );
  if (relations.sameSubregion.length > 0) {
    writer.say(
      `${relations.sameSubregion.length === 1 ? 'One other place is' : `${countWord(relations.sameSubregion.length)} other places are`} recorded in the same subregion.`,
      `It shares that subregion with ${countWord(relations.sameSubregion.length)} other ${relations.sameSubregion.length === 1 ? 'place' : 'places'}.`,
    );
  }
  writer.say(
    `The position is a single point and says nothing about the shape of the land.`,
    `Positions like this one are rough, since a single point stands for the whole.`,
  );
}

function sayCapital(writer: PassageWriter, facts: CountryFacts): void {
  const { name: x, capitals } = facts;
  const capital = englishList(capitals);
  if (capitals.length === 0) {
    writer.say(`No capital is recorded for ${x}.`, `${x} ${facts.plural ? 'have' : 'has'} no capital.`);
  } else if (capitals.length === 1) {
    writer.say(
      `The capital of ${x} is ${capital}.`,
      `Its capital city is ${capital}.`,
      `${capital} is the capital of ${x}.`,
      `${capital} serves as the capital city.`,
      `The city that serves as the capital of ${x} is ${capital}.`,
    );
  } else {
    writer.say(`The capitals of ${x} are ${capital}.`, `${capital} are the capital cities of ${x}.`);
  }
}

function sayAreaNeighbours(writer: PassageWriter, { nextLarger, nextSmaller }: CountryRelations): void {
  if (nextLarger !== undefined && nextSmaller !== undefined) {
    writer.say(
      `In size it comes between ${nextSmaller.name} and ${nextLarger.name}.`,
      `Just above it in size comes ${nextLarger.name}, just below it ${nextSmaller.name}.`,
    );
  } else if (nextLarger !== undefined) {
    writer.say(`Nothing in this collection is smaller; the closest in size is ${nextLarger.name}.`);
  } else if (nextSmaller !== undefined) {
    writer.say(`Nothing in this collection is larger; the closest in size is ${nextSmaller.name}.`);
  }
}

function sayCoast(writer: PassageWriter, facts: CountryFacts): void {
  if (facts.landlocked) {
    writer.say('It is landlocked and has no coast.', 'Being landlocked, it does not reach the sea.');
  } else {
    writer.say('It is not landlocked and reaches the sea.', 'It has a coast, so it is not landlocked.');
  }
}

function writePeople(writer: PassageWriter, facts: CountryFacts): void {
  const { name: x, languages, demonym } = facts;
  const spoken = englishList(languages);
  if (languages.length === 0) {
    writer.say(`No language is recorded for ${x}.`, `There is no recorded language for ${x}.`);
  } else if (languages.length === 1) {
    writer.say(
      `The language of ${x} is ${spoken}.`,
      `The language that people speak in ${x} is ${spoken}.`,
      `${spoken} is the language spoken in ${x}.`,
      `People in ${x} speak ${spoken}, the only language recorded.`,
    );
  } else {
    writer.say(
      `The languages of ${x} are ${spoken}.`,
      `People in ${x} speak ${spoken}.`,
      `${spoken} are the languages spoken in ${x}.`,
      `The languages that people speak in ${x} are ${spoken}.`,
    );
    writer.say(`That makes ${countWord(languages.length)} languages in all.`);
  }
  if (demonym !== undefined) {
    writer.say(
      `People from ${x} are called ${demonym}, which is the demonym.`,
      `The demonym, the word for a person or for people from ${x}, is ${demonym}.`,
      `Someone from ${x} is called ${demonym}; this is the demonym for its people.`,
      `In English the demonym is ${demonym}, and people from ${x} are called so.`,
    );
  }
  writer.say(
    `Officially ${x} ${facts.plural ? 'are' : 'is'} called ${facts.official}, which is the full and official name.`,
    `The full and official name of ${x} is ${facts.official}, as ${facts.plural ? 'they are' : 'it is'} officially called.`,
    `The full and official name, by which ${x} ${facts.plural ? 'are' : 'is'} officially called, is ${facts.official}.`,
  );
  for (const { language, name } of facts.nativeNames.slice(0, 2)) {
    writer.say(
      `In ${language} the same name reads ${name}.`,
      `Written in ${language}, the name in full becomes ${name}.`,
    );
  }
  if (facts.foreignNames.length > 0) {
    const names = facts.foreignNames.map(({ language, name }) => `${name} in ${language}`);
    writer.say(
      `Abroad the name changes: it is ${englishList(names)}.`,
      `Other tongues have their own form of the name: ${englishList(names)}.`,
    );
  }
  if (facts.unMember)
    writer.say('It is a member of the United Nations.', 'It has a seat in the United Nations.');
  if (facts.foreignNames.length < 5) {
    const part = inRegion(facts.subregion) ?? inRegion(facts.region)!;
    writer.say(`Its people live in ${part}.`, `Those who live there are at home in ${part}.`);
    writer.say(
      `A name may also change when it is written in another alphabet.`,
      `A name often keeps its sound in other tongues, while its spelling follows their rules.`,
    );
  }
  writer.say(
    `These names come from a public list and may be spelt in other ways elsewhere.`,
    `Spellings differ from book to book, and those given here follow one public list.`,
  );
  writer.say(
    `How many people live there is not part of the list.`,
    `The list does not count the inhabitants.`,
  );
}

function writeMoney(writer: PassageWriter, facts: CountryFacts, relations: CountryRelations): void {
  const { name: x, currencies } = facts;
  const money = englishList(currencies.map(({ name }) => name));
  const [first] = currencies;
  if (first === undefined) {
    writer.say(`No currency is recorded for ${x}.`, `There is no recorded currency for ${x}.`);
  } else if (currencies.length === 1) {
    writer.say(
      `The currency of ${x} is the ${money}; it is the money that people use and pay with.`,
      `People in ${x} pay with the ${money}, the official currency.`,
      `The money that people use in ${x} is the ${money}, its official currency.`,
      `The ${money} is the official currency of ${x}, the money with which people pay.`,
    );
    writer.say(
      `As a currency it has the code ${first.code}, with ${first.symbol} as its sign.`,
      `Banks write its code as ${first.code}, and ${first.symbol} is the sign on price tags.`,
    );
    saySharedCurrency(writer, relations.sameCurrency);
  } else {
    writer.say(
      `The currencies of ${x}, the money that people use and pay with, are ${money}.`,
      `People in ${x} pay with several currencies: ${money}.`,
      `The money that people use in ${x} is of several kinds, and its currencies are ${money}.`,
    );
    writer.say(`Banks write them as ${englishList(currencies.map(({ code }) => code))}.`);
  }
  if (facts.domains.length > 0) {
    const domains = englishList(facts.domains);
    const one = facts.domains.length === 1;
    writer.say(
      `Web addresses of ${x} end in ${domains}, its top-level ${one ? 'domain' : 'domains'} on the internet.`,
      `The top-level internet ${one ? 'domain' : 'domains'}, in which web addresses of ${x} end, ${one ? 'is' : 'are'} ${domains}.`,
      `On the internet its top-level ${one ? 'domain' : 'domains'} ${one ? 'is' : 'are'} ${domains}, and web addresses there end so.`,
    );
  }
  if (facts.callingCodes.length > 0) {
    const codes = englishList(facts.callingCodes);
    const [code, are] = facts.callingCodes.length === 1 ? ['code', 'is'] : ['codes', 'are'];
    writer.say(
      `To phone ${x} from abroad, one first dials the international dialling ${code} ${codes}.`,
      `The international dialling ${code} for telephone calls to ${x} ${are} ${codes}.`,
      `For a phone call from abroad one first dials ${codes}, the international dialling ${code}.`,
    );
  }
  const { two, three, number, olympic } = facts.codes;
  const written = [two, three, number].filter((code) => code !== '');
  const numbered = number === '' ? '' : ` and the number ${number}`;
  writer.say(
    `Forms and parcels use the country codes ${englishList(written)}.`,
    `In the international list of country codes it has the letters ${two} or ${three}${numbered}.`,
  );
  if (olympic !== '') {
    writer.say(`Its athletes appear under the letters ${olympic} at the Olympic Games.`);
  }
  writer.say(
    `Prices, rates of exchange and the hours of banks are not part of this record.`,
    `What things cost there is not told by this record, nor at which rate money is changed.`,
  );
  writer.say(
    `Travellers should check such details before they leave, for they change now and then.`,
    `Details like these change from time to time, so a fresh source is better for a journey.`,
  );
  if (facts.callingCodes.length === 0 || olympic === '') {
    writer.say(
      `Letters and numbers of this kind are short so that machines can sort by them without knowing any language.`,
    );
  }
}

function saySharedCurrency(writer: PassageWriter, sharers: readonly CountryName[]): void {
  if (sharers.length === 0) {
    writer.say(
      'It circulates in no other place of this collection.',
      'In this collection it circulates nowhere else.',
    );
  } else {
    const examples = englishList(sharers.slice(0, 3).map(({ name }) => name));
    const count = countWord(sharers.length);
    writer.say(
      sharers.length > 3
        ? `It also circulates in ${count} other places, for example in ${examples}.`
        : `It also circulates in ${examples}.`,
    );
  }
}

function writeNeighbours(writer: PassageWriter, facts: CountryFacts, relations: CountryRelations): void {
  const { name: x, neighbours } = facts;
  const names = englishList(neighbours.map(({ name }) => name));
  const [borders, shares, has] = facts.plural ? ['border', 'share', 'have'] : ['borders', 'shares', 'has'];
  if (neighbours.length === 0) {
    writer.say(`${x} ${borders} no other country.`, `${x} ${has} no land border with any other country.`);
    writer.say(`So there is no neighbour on land.`, `There is no neighbour that one could reach on foot.`);
  } else if (neighbours.length === 1) {
    writer.say(
      `The only country that borders ${x} is ${names}, the one neighbour next to it.`,
      `${x} ${shares} a land border with one country next to it, the neighbour ${names}.`,
      `The only neighbour of ${x}, the only country next to it, is ${names}, and the two share a border.`,
    );
  } else {
    writer.say(
      `${x} ${borders} ${names}; these countries are the neighbours next to it.`,
      `The neighbours of ${x}, the countries next to it that it borders, are ${names}.`,
      `${x} ${shares} land borders with the neighbouring countries next to it: ${names}.`,
      `The countries next to ${x} are ${names}, and it shares a border with each of these neighbours.`,
      `The neighbouring countries, which lie next to ${x} and border it, are ${names}.`,
    );
    writer.say(`That makes ${countWord(neighbours.length)} in all.`);
    const { largestNeighbour, smallestNeighbour } = relations;
    writer.say(
      `The largest of these is ${largestNeighbour!.name}, the smallest ${smallestNeighbour!.name}.`,
      `Among them ${largestNeighbour!.name} is the largest and ${smallestNeighbour!.name} the smallest.`,
    );
  }
  sayCoast(writer, facts);
  const { nearest } = relations;
  writer.say(
    `Measured between single points on the map, the nearest ${neighbours.length === 0 ? 'other places' : 'places'} are ${englishList(nearest.map(({ name }) => name))}.`,
  );
  if (relations.sameSubregion.length > 1) {
    const others = englishList(relations.sameSubregion.slice(0, 6).map(({ name }) => name));
    writer.say(
      `Other places in ${inRegion(facts.subregion)!} include ${others}.`,
      `${inRegion(facts.subregion)!} also includes ${others}.`,
    );
  }
  writer.say(
    `Only borders on land count here; a boundary that runs through the sea is left out.`,
    `A boundary in the sea is not counted, however close the other shore may be.`,
  );
  writer.say(
    `How long the borders are and where they may be crossed is not part of this record.`,
    `The record says nothing about the length of borders or about roads across them.`,
  );
  if (neighbours.length < 2) {
    writer.say(
      `Ships and aeroplanes connect places that no road connects, and maps of their routes look quite different.`,
      `Distances on a map tell little about how long a journey takes, by ship or by aeroplane.`,
    );
  }
}

function inRegion(region: string | undefined): string | undefined {
  return region === 'Americas' || region === 'Antarctic' || region === 'Caribbean' ? `the ${region}` : region;
}

function degreesOf(degrees: number): string {
  return degrees === 1 ? '1 degree' : `${degrees} degrees`;
}

const COUNT_WORDS = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ');

function countWord(count: number): string {
  return COUNT_WORDS[count] ?? String(count);
}

/** A number with a comma between thousands. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?<!\.\d*)(?=(?:\d{3})+(?!\d))/gu, ',');
}

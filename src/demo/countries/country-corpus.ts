import type { CorpusLine, LinePassage } from '../../corpus/records.js';
import { COUNTRY_FACTS_ATTRIBUTION, countryFacts } from './country-facts.js';
import { countryPassage, PASSAGE_TOPICS } from './country-passages.js';

/** A country's line, which has passages of its own. */
export interface CountryLine extends CorpusLine {
  readonly passages: readonly LinePassage[];
}

/**
 * The knowledge base of the demo: 250 countries and territories, each with its flag and four passages of about 100
 * words (geography; languages and people; money; neighbours), 1,000 passages in all. The same on every machine.
 *
 * An entity's id is its two-letter code in lower case, a passage's id `<entity>-<topic>`.
 *
 * @param flagPath - gives the path of a flag's image by two-letter code in upper case
 */
export function countryCorpus(flagPath: (cca2: string) => string): CountryLine[] {
  return countryFacts().map((facts) => {
    const id = facts.cca2.toLowerCase();
    return {
      entity: { id, title: facts.title, image: flagPath(facts.cca2) },
      passages: PASSAGE_TOPICS.map((topic) => ({ id: `${id}-${topic}`, text: countryPassage(facts, topic) })),
      metadata: { cca2: facts.cca2, source: COUNTRY_FACTS_ATTRIBUTION },
    };
  });
}

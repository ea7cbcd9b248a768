import { countryCorpus } from '../../../src/demo/countries/country-corpus.js';
import type { PassageTopic } from '../../../src/demo/countries/country-passages.js';
import { countryQuestions } from '../../../src/demo/countries/country-questions.js';
import type { QuestionKind } from '../../../src/demo/countries/question-wordings.js';
import { pseudoRelevance } from '../../../src/evaluation/pseudo-relevance.js';
import type { ReaderExample } from '../../../src/training/fit-extractive-reader.js';
import { FITTING_PASSAGES } from '../generators/extractive/general-passages.js';

/** The topic whose passage answers each kind of question. */
const TOPICS: Readonly<Record<QuestionKind, PassageTopic>> = {
  capital: 'geography',
  region: 'geography',
  subregion: 'geography',
  area: 'geography',
  languages: 'people',
  demonym: 'people',
  officialName: 'people',
  currency: 'money',
  domain: 'money',
  diallingCode: 'money',
  neighbours: 'neighbours',
};

/** A general passage's question counts this often, since there are few of them. */
const GENERAL_TIMES = 3;

/**
 * What the reader's weights are fitted to: 750 training questions of the demo, each with the passages of its country
 * (those on other topics as examples of no answer, unless they happen to hold it), and the general passages with their
 * own questions and, as examples of no answer, those of two others.
 */
export function readerExamples(): ReaderExample[] {
  const examples: ReaderExample[] = [];
  const lines = new Map(countryCorpus((cca2) => cca2).map((line) => [line.metadata?.['cca2'], line]));
  for (const { cca2, kind, question, answers } of countryQuestions({
    seed: 1,
    split: 'training',
    count: 750,
  })) {
    for (const { id, text } of lines.get(cca2)!.passages) {
      if (id.endsWith(TOPICS[kind])) examples.push({ question, passage: text, answers });
      else if (pseudoRelevance(text, answers) === 'none')
        examples.push({ question, passage: text, answers: [] });
    }
  }
  for (const [i, { text, questions }] of FITTING_PASSAGES.entries()) {
    const others = [1, 4].map((step) => FITTING_PASSAGES[(i + step) % FITTING_PASSAGES.length]!.text);
    for (const [question, ...answers] of questions) {
      for (let time = 0; time < GENERAL_TIMES; time++) examples.push({ question, passage: text, answers });
      for (const passage of others) examples.push({ question, passage, answers: [] });
    }
  }
  return examples;
}

import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { countryQuestions } from '../../../dist/esm/demo/countries/country-questions.js';
import { pseudoRelevance } from '../../../dist/esm/evaluation/pseudo-relevance.js';
import { correctedSource } from './corrected-source.mjs';
import { countryPassages } from './country-passages.mjs';

/** Two questions per country to measure, one per country in other wordings to fit on. */
const QUESTIONS = { evaluation: 500, training: 250 };

/**
 * A question and the country's name, against passages. Relevant are the country's passages that hold an accepted answer,
 * and, where passages were aggregated to entities, the country.
 */
export async function questionsTask() {
  const { passages, vectors, sources, words, ids } = await countryPassages();
  const titles = new Map(countryFacts().map(({ cca2, title }) => [cca2, title]));
  const split = (name) => {
    const asked = countryQuestions({ seed: 1, split: name, count: QUESTIONS[name] });
    const relevant = (question) =>
      passages
        .filter(({ entityId }) => entityId === question.cca2.toLowerCase())
        .filter(({ text }) => pseudoRelevance(text, question.answers) !== 'none')
        .map(({ id }) => [id, 1]);
    return {
      queries: asked.map(({ id, question, cca2, answers }) => ({
        id,
        query: { text: `${question} ${titles.get(cca2)}`, question, name: titles.get(cca2) },
        answers,
      })),
      qrels: {
        passage: new Map(asked.map((question) => [question.id, new Map(relevant(question))])),
        entity: new Map(asked.map(({ id, cca2 }) => [id, new Map([[cca2.toLowerCase(), 1]])])),
      },
    };
  };
  const validation = split('training');
  const bank = validation.queries.map(({ query }) => query);
  const dense = { ...sources.dense, corrected: correctedSource(sources.dense.text, vectors, bank) };
  return {
    measures: ['recip_rank', 'P_1', 'ndcg_cut_10'],
    sources: { ...sources, dense },
    ids,
    passages,
    words,
    ...split('evaluation'),
    validation,
  };
}

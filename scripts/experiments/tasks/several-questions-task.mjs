import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { countryQuestions } from '../../../dist/esm/demo/countries/country-questions.js';
import { pseudoRelevance } from '../../../dist/esm/evaluation/pseudo-relevance.js';
import { countryPassages } from './country-passages.mjs';

const QUERIES = 100;
const TOGETHER = 3;
/** So many that enough of them have one passage with the answer. */
const DRAWN = 750;

/**
 * Three questions at once, about three countries. Relevant are the three passages that hold the answers: each question has one, so
 * that `recall_3` is the share of the questions that three passages answer.
 */
export async function severalQuestionsTask() {
  const { passages, vectors, encoder, sources, ids } = await countryPassages();
  const titles = new Map(countryFacts().map(({ cca2, title }) => [cca2, title]));
  const relevantTo = ({ cca2, answers }) =>
    passages
      .filter(({ entityId }) => entityId === cca2.toLowerCase())
      .filter(({ text }) => pseudoRelevance(text, answers) !== 'none');
  const single = countryQuestions({ seed: 1, split: 'evaluation', count: DRAWN })
    .map((question) => ({ ...question, relevant: relevantTo(question) }))
    .filter(({ relevant }) => relevant.length === 1);
  const asked = Array.from({ length: QUERIES }, (_, i) => ({
    id: `questions-${i + 1}`,
    questions: single.slice(i * TOGETHER, (i + 1) * TOGETHER),
  }));
  return {
    measures: ['recall_3', 'P_1', 'recall_10'],
    sources,
    ids,
    vectors,
    encoder,
    queries: asked.map(({ id, questions }) => {
      const facets = questions.map(({ question, cca2 }) => `${question} ${titles.get(cca2)}`);
      return { id, query: { text: facets.join(' '), facets } };
    }),
    qrels: {
      passage: new Map(
        asked.map(({ id, questions }) => [
          id,
          new Map(questions.map(({ relevant: [passage] }) => [passage.id, 1])),
        ]),
      ),
    },
  };
}

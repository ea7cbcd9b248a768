import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { pseudoRelevance } from '../../../dist/esm/evaluation/pseudo-relevance.js';
import { mergeSources } from '../../../dist/esm/pipeline/index.js';
import { countryPassages } from './country-passages.mjs';
import { picturesTask } from './pictures-task.mjs';

/**
 * One pool of passages and images, searched for a question, the country's name and a picture. Relevant are the country's passages that hold
 * an accepted answer, and its image.
 */
export async function mixedTask() {
  const { passages, sources } = await countryPassages();
  const pictures = await picturesTask();
  const titles = new Map(countryFacts().map(({ cca2, title }) => [cca2, title]));
  const withQuestions = ({ pictures: asked, queries }) => ({
    queries: queries.map(({ id, query }, i) => ({
      id,
      query: { ...query, text: `${asked[i].question} ${titles.get(asked[i].cca2)}` },
    })),
    qrels: { mixed: new Map(asked.map((question) => [question.id, relevantTo(question, passages)])) },
  });
  return {
    measures: ['ndcg_cut_10', 'P_1', 'recall_10'],
    sources: mergeSources(pictures.sources, sources),
    ids: { ...pictures.ids, passage: passages.map(({ id }) => id) },
    ...withQuestions(pictures),
    validation: withQuestions(pictures.validation),
  };
}

function relevantTo({ cca2, answers }, passages) {
  const entity = cca2.toLowerCase();
  const answering = passages
    .filter(({ entityId, text }) => entityId === entity && pseudoRelevance(text, answers) !== 'none')
    .map(({ id }) => [id, 1]);
  return new Map([...answering, [entity, 1]]);
}

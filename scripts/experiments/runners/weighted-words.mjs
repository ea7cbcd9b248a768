import { groupWeights, scoreDocuments } from '../../../dist/esm/granularity/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';
import { firstPlaces, rankedList } from '../../../dist/esm/ranking/ranked-list.js';

/**
 * The first passages of a pipeline, scored by MaxSim of words that do not all count alike: by their inverse document frequencies
 * (`weights: 'idf'`), or by groups (`weights: { question, name }`).
 */
export function weightedWords({ sources, ids, words }, { pipeline: stages, candidates, weights }) {
  const retriever = pipeline(stages, { sources });
  const weightsOf = ({ text, question, name }) =>
    weights === 'idf'
      ? words.idfOf(words.wordsOf(text))
      : groupWeights([
          { vectors: words.wordsOf(question).length, weight: weights.question },
          { vectors: words.wordsOf(name).length, weight: weights.name },
        ]);
  return async ({ query }) => {
    const { list: first, level } = await retriever.retrieve(query);
    const { rows } = firstPlaces(first, candidates);
    const documents = await sources.multiVector.words.vectorsOf(rows, {});
    const vectors = await words.vectorsOf(words.wordsOf(query.text));
    const { scores } = await scoreDocuments(vectors, documents, 'maxsim', { weights: weightsOf(query) });
    const list = rankedList(rows, scores);
    return { list, level, ids: Array.from(list.rows, (row) => ids[level][row]) };
  };
}

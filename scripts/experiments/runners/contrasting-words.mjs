import { contrastiveMatches, tokenMatches } from '../../../dist/esm/explanation/index.js';
import { rankedList } from '../../../dist/esm/ranking/ranked-list.js';

/**
 * The words of a query by what they say for its passage: against the `other` passage (`by: 'difference'`), or as they match the
 * passage itself (`by: 'match'`).
 */
export function contrastingWords({ words }, { other, by }) {
  return async ({ query, own, others }) => {
    const vectors = await words.vectorsOf(words.wordsOf(query.text));
    const document = await own();
    const values =
      by === 'match'
        ? tokenMatches(vectors, document).similarities
        : contrastiveMatches(vectors, document, await others[other]()).differences;
    const list = rankedList([...values.keys()], values);
    return { list, level: other, ids: Array.from(list.rows, (row) => `word-${row}`) };
  };
}

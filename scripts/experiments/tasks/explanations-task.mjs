import { SeededRandom } from '../../../dist/esm/ranking/seeded-random.js';
import { matrix } from '../../../dist/esm/vectors/matrix.js';
import { once } from './once.mjs';
import { questionsTask } from './questions-task.mjs';

const QUERIES = 200;

/**
 * A question and the country's name, as vectors of words, and why they match a passage: the first that holds the answer. It is
 * contrasted with the passage of the same kind about another country (`country`), which the words of the name tell from it, and with a
 * passage about the same country without the answer (`topic`), which the words of the question do.
 */
export async function explanationsTask() {
  const { passages, sources, words, queries, qrels } = await questionsTask();
  const random = new SeededRandom('other countries');
  const topicOf = ({ id }) => id.split('-')[1];
  const vectorsOf = async (row) => {
    const { data, columns } = await sources.multiVector.words.vectorsOf(Uint32Array.of(row), {});
    return matrix(data, columns);
  };
  const asked = queries.slice(0, QUERIES).map(({ id, query }) => {
    const relevant = qrels.passage.get(id);
    const row = passages.findIndex((passage) => relevant.has(passage.id));
    const others = {
      country: passages.filter(
        (other) => topicOf(other) === topicOf(passages[row]) && other.entityId !== passages[row].entityId,
      ),
      topic: passages.filter((other) => other.entityId === passages[row].entityId && !relevant.has(other.id)),
    };
    return {
      id,
      query,
      own: once(() => vectorsOf(row)),
      others: Object.fromEntries(
        Object.entries(others)
          .filter(([, candidates]) => candidates.length > 0)
          .map(([name, candidates]) => {
            const other = passages.indexOf(random.pick(candidates));
            return [name, once(() => vectorsOf(other))];
          }),
      ),
    };
  });
  return {
    measures: ['P_1', 'map'],
    words,
    queries: asked,
    qrels: {
      country: new Map(
        asked.map(({ id, query }) => {
          const ofQuestion = words.wordsOf(query.question).length;
          return [id, numbered(ofQuestion, words.wordsOf(query.text).length)];
        }),
      ),
      topic: new Map(asked.map(({ id, query }) => [id, numbered(0, words.wordsOf(query.question).length)])),
    },
  };
}

/** Judgements by which the words from one place up to another are relevant. */
function numbered(first, end) {
  return new Map(Array.from({ length: end - first }, (_, i) => [`word-${first + i}`, 1]));
}

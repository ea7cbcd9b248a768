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
  const vectorsOf = (passage) =>
    once(async () => {
      const row = Uint32Array.of(passages.indexOf(passage));
      const { data, columns } = await sources.multiVector.words.vectorsOf(row, {});
      return matrix(data, columns);
    });
  const asked = queries
    .map(({ id, query }) => {
      const relevant = qrels.passage.get(id);
      const passage = passages.find((one) => relevant.has(one.id));
      const country = passages.filter(
        (other) => topicOf(other) === topicOf(passage) && other.entityId !== passage.entityId,
      );
      const topic = passages.filter(
        (other) => other.entityId === passage.entityId && !relevant.has(other.id),
      );
      return { id, query, passage, candidates: { country, topic } };
    })
    .filter(({ candidates }) => candidates.topic.length > 0)
    .slice(0, QUERIES)
    .map(({ id, query, passage, candidates }) => ({
      id,
      query,
      own: vectorsOf(passage),
      others: {
        country: vectorsOf(random.pick(candidates.country)),
        topic: vectorsOf(random.pick(candidates.topic)),
      },
    }));
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

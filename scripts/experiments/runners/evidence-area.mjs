import { deletionCurve, evidenceOrder, insertionCurve } from '../../../dist/esm/explanation/index.js';
import { SeededRandom } from '../../../dist/esm/ranking/seeded-random.js';

/**
 * The areas under the curves of deletion and insertion, as shares of MaxSim, when a passage's words go and come by what they add to the
 * score (`order: 'evidence'`), or as drawn (`random`). The other way round the two areas change places.
 */
export function evidenceArea({ words }, { order }) {
  return async ({ id, query, own }) => {
    const vectors = await words.vectorsOf(words.wordsOf(query.text));
    const document = await own();
    const rows = evidenceOrder(vectors, document);
    if (order === 'random') shuffle(rows, new SeededRandom(`order of ${id}`));
    const deletion = deletionCurve(vectors, document, rows);
    const insertion = insertionCurve(vectors, document, rows);
    const [whole] = deletion.scores;
    return { figures: { deletion: deletion.area / whole, insertion: insertion.area / whole } };
  };
}

function shuffle(rows, random) {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
}

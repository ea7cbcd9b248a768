/**
 * BM25 of a query and every passage, slow and obvious: with the words of both in the order in which the passages first use them,
 *
 *     sum of fround(qtf ln((N - df + 0.5) / (df + 0.5))) * (tf / (tf + (k1 (1 - b) + k1 b / mean length * length)))
 *
 * in float64, rounded once to float32.
 */
import { pieces } from './dataset.mjs';
import { ROW_PLACES, WORDS } from './seeded-words.mjs';

/** What SQLite's bm25() computes with; its idf is the one above where less than half of the passages hold a word. */
export const BM25 = { k1: 1.2, b: 0.75, idf: 'classic' };

/**
 * The scores of all passages with each of the queries; NaN where they share no word.
 *
 * @param queries rows of words
 * @param sample numbers of the queries
 */
export function bm25Scores(dataset, queries, sample) {
  const asked = sample.map((q) => counted(queries.subarray(q * ROW_PLACES, (q + 1) * ROW_PLACES)));
  const wanted = new Uint8Array(WORDS);
  for (const words of asked) for (const word of words.keys()) wanted[word] = 1;
  const { frequencies, meanLength } = statistics(dataset, wanted);
  const order = [...frequencies.keys()];
  const base = BM25.k1 * (1 - BM25.b);
  const slope = (BM25.k1 * BM25.b) / meanLength;
  const scores = sample.map(() => new Float32Array(dataset.rows).fill(Number.NaN));
  const weights = asked.map((words) =>
    order
      .filter((word) => words.has(word))
      .map((word) => {
        const df = frequencies.get(word);
        return [word, Math.fround(words.get(word) * Math.log((dataset.rows - df + 0.5) / (df + 0.5)))];
      }),
  );
  eachPassage(dataset, (row, passage) => {
    if (!passage.some((word) => wanted[word] === 1)) return;
    const words = counted(passage);
    for (const [place, terms] of weights.entries()) {
      const shared = terms.filter(([word]) => words.has(word));
      if (shared.length === 0) continue;
      let sum = 0;
      for (const [word, weight] of shared) {
        const tf = words.get(word);
        sum += weight * (tf / (tf + (base + slope * passage.length)));
      }
      scores[place][row] = sum;
    }
  });
  return scores;
}

/** How many passages hold each wanted word, the words in the order of their first use; and the mean length. */
function statistics(dataset, wanted) {
  const frequencies = new Map();
  let length = 0;
  eachPassage(dataset, (_, passage) => {
    length += passage.length;
    for (const word of new Set(passage.filter((each) => wanted[each] === 1))) {
      frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
    }
  });
  return { frequencies, meanLength: length / dataset.rows };
}

/** Calls back with each passage's row and words. */
export function eachPassage(dataset, take) {
  for (const { firstRow, values } of pieces(dataset)) {
    for (let row = 0; row < values.length / ROW_PLACES; row++) {
      const places = values.subarray(row * ROW_PLACES, (row + 1) * ROW_PLACES);
      const end = places.indexOf(-1);
      take(firstRow + row, end === -1 ? places : places.subarray(0, end));
    }
  }
}

function counted(row) {
  const words = new Map();
  for (const word of row) if (word !== -1) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

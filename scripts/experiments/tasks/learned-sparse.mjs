import { SparseIndex } from '../../../dist/esm/index/sparse-index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import {
  analyzer,
  inferenceFreeQueries,
  pruneWeights,
  spladeWeights,
  termFrequencies,
  tokenIdf,
  Vocabulary,
} from '../../../dist/esm/text/index.js';
import { once } from './once.mjs';

/** Weights of at most so much of a passage's greatest are left out of `sparse.pruned`. */
const PRUNED = 0.5;

/**
 * Passages as sparse vectors, and queries that need no model. No model is at hand for the passages either: in the place of its logits
 * stand the counts of the stems, so that nothing is expanded. Built when a search first needs them:
 *
 * - `sparse['inference-free']`: a query's stems have their inverse document frequencies
 * - `sparse.pruned`: the same, without the small weights of passages
 *
 * @param texts - of all passages, by row
 */
export function learnedSparse(texts) {
  const stems = analyzer();
  const made = once(() => {
    const vocabulary = new Vocabulary();
    const counts = texts.map((text) => termFrequencies(stems(text).map((stem) => vocabulary.add(stem))));
    const columns = vocabulary.size;
    const logits = new Float32Array(texts.length * columns);
    const documentFrequencies = new Uint32Array(columns);
    for (const [row, counted] of counts.entries()) {
      for (const [term, count] of counted) {
        logits[row * columns + term] = count;
        documentFrequencies[term]++;
      }
    }
    const lengths = new Uint32Array(texts.length).fill(1);
    return {
      weights: spladeWeights({ data: logits, lengths, columns }),
      idf: tokenIdf(documentFrequencies, texts.length),
      tokenize: (text) =>
        stems(text).flatMap((stem) => {
          const id = vocabulary.idOf(stem);
          return id === undefined ? [] : [id];
        }),
    };
  });
  const source = (weightsOf) => {
    const indexed = once(async () => {
      const index = new SparseIndex();
      await index.add(weightsOf(made().weights));
      return index;
    });
    return {
      level: 'passage',
      async search({ text }, { k, signal }) {
        const index = await indexed();
        const { idf, tokenize } = made();
        const query = inferenceFreeQueries([text], { idf, tokenize });
        return rankedLists(await index.search(query, { k: Math.min(k, index.rows), signal }))[0];
      },
    };
  };
  return {
    sparse: {
      'inference-free': source((weights) => weights),
      pruned: source((weights) => pruneWeights(weights, PRUNED)),
    },
  };
}

import { MuveraIndex, PlaidIndex, XtrIndex } from '../../../dist/esm/approximate/index.js';
import { NgramTextEncoder } from '../../../dist/esm/encoders/ngram/ngram-text-encoder.js';
import { MultiVectorIndex } from '../../../dist/esm/index/multi-vector-index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import { analyzer, termFrequencies, tokenIdf } from '../../../dist/esm/text/index.js';
import { once } from './once.mjs';

const DIMENSION = 128;
/** Of 1,000 passages, those that are scored by MaxSim. */
const MUVERA = { candidates: 100 };
/** So few that words differ from their centroids: with the default most words would be one. */
const PLAID = { centroids: 512, bits: 4 };
/** Of 72,000. */
const XTR = { tokens: 1000 };

/**
 * Texts as one vector per word without stop words: the word's letters, hashed to 128 numbers of length 1. Built when a search first
 * needs them:
 *
 * - `multiVector.words`
 * - `approximate.muvera`: 100 candidates by fixed-dimensional encodings; `approximate.plaid`: 512 centroids, residuals of 4 bits;
 *   `approximate.xtr`: of each word's 1,000 nearest of all passages' words
 *
 * @param texts - of all passages, by row
 * @returns the `sources`; `wordsOf` a text; `vectorsOf` words; `idfOf` words, their inverse document frequencies
 */
export function wordVectors(texts) {
  const words = analyzer({ stemming: false });
  const encoder = new NgramTextEncoder({ dimension: DIMENSION });
  const embed = async (all) => {
    const distinct = [...new Set(all)];
    const { vectors } = await encoder.encodeQueries(distinct);
    const placeOf = new Map(distinct.map((word, place) => [word, place]));
    const data = new Float32Array(all.length * DIMENSION);
    for (const [i, word] of all.entries()) {
      const place = placeOf.get(word) * DIMENSION;
      data.set(vectors.data.subarray(place, place + DIMENSION), i * DIMENSION);
    }
    return { data, rows: all.length, columns: DIMENSION };
  };
  const built = once(async () => {
    await encoder.fit(texts);
    const wordsOf = texts.map(words);
    const { data } = await embed(wordsOf.flat());
    const lengths = Uint32Array.from(wordsOf, ({ length }) => length);
    const index = new MultiVectorIndex({ dimension: DIMENSION });
    await index.add(data, lengths);
    return { index, documents: { data, lengths, columns: DIMENSION } };
  });
  const vectorsOf = async (all) => {
    await built();
    return embed(all);
  };
  const frequencies = once(() => termFrequencies(texts.flatMap((text) => [...new Set(words(text))])));
  const idfOf = (all) =>
    tokenIdf(
      Uint32Array.from(all, (word) => frequencies().get(word) ?? 0),
      texts.length,
    );
  const encode = ({ text }) => vectorsOf(words(text));
  const sources = {
    multiVector: { words: { level: 'passage', encode, ...exactSearch(built) } },
    approximate: {
      muvera: approximateSource(encode, async () => MuveraIndex.over((await built()).index), MUVERA),
      plaid: approximateSource(encode, async () => PlaidIndex.build((await built()).documents, PLAID)),
      xtr: approximateSource(encode, async () => XtrIndex.build((await built()).documents), XTR),
    },
  };
  return { sources, wordsOf: words, vectorsOf, idfOf };
}

function exactSearch(built) {
  return {
    async search(query, { k, candidates, signal }) {
      const { index } = await built();
      const most = candidates?.length ?? index.rows;
      const hits = await index.search(query, { k: Math.min(k, most), candidates, explain: true, signal });
      const list = rankedLists(hits)[0];
      return { ...list, matches: Array.from(list.rows, (_, place) => hits.matches(0, place)) };
    },
    vectorsOf: async (rows, { signal }) => (await built()).index.read(rows, { signal }),
  };
}

/** @param options - of the searches */
function approximateSource(encode, build, options = {}) {
  const made = once(build);
  return {
    level: 'passage',
    async search(query, { k, signal }) {
      const index = await made();
      const most = Math.min(k, options.candidates ?? index.rows);
      return index.search(await encode(query), { ...options, k: most, signal });
    },
  };
}

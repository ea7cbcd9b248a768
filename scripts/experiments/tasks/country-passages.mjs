/** The demo's 1,000 passages about 250 countries as sources of pipelines; the same for all tasks that search them. */
import { IvfIndex } from '../../../dist/esm/approximate/index.js';
import { countryCorpus } from '../../../dist/esm/demo/countries/country-corpus.js';
import { flagPath } from '../../../dist/esm/demo/countries/flag-images.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { mergeSources, passageSources } from '../../../dist/esm/pipeline/index.js';
import { MemoryPassageStore } from '../../../dist/esm/retrievers/memory-passage-store.js';
import { builtInEncoders } from '../../../dist/esm/systems/built-in-encoders.js';
import { analyzer } from '../../../dist/esm/text/index.js';
import { learnedSparse } from './learned-sparse.mjs';
import { once } from './once.mjs';
import { wordVectors } from './word-vectors.mjs';

/**
 * Built once; `words` is what makes texts into vectors of words, `encoder` what makes them into one. The sources:
 *
 * - `dense.text`: by vectors of words, pairs of words and letters, hashed to 2,048 numbers
 * - `sparse.plain`, `sparse.stemmed`: BM25 over lower-case words, and over stems without stop words
 * - `sparse['classic idf']`, `sparse['floored idf']`, `sparse['k1 1.2, b 0.75']`: over stems, with one parameter or two others
 * - what `learnedSparse` has, over the same stems
 * - `approximate.ivf`: the vectors in an inverted file of 126 lists, of which 8 are searched
 * - what `wordVectors` has
 */
export const countryPassages = once(async () => {
  const passages = countryCorpus(flagPath).flatMap(({ entity, passages: own }) =>
    own.map(({ id, text }) => ({ id, text, entityId: entity.id })),
  );
  const encoder = builtInEncoders().textEncoder;
  const texts = passages.map(({ text }) => text);
  await encoder.fit(texts);
  const { vectors } = await encoder.encodePassages(texts);
  const index = new FlatIndex({ dimension: encoder.dimension });
  await index.add(vectors);
  const store = new MemoryPassageStore({ index, passages });
  const stemmed = passageSources(store, { encoder });
  const plain = passageSources(store, {
    encoder,
    bm25: { analyzer: analyzer({ stopWords: false, stemming: false }) },
  });
  const bm25 = (parameters) => passageSources(store, { encoder, bm25: parameters }).sparse.text;
  const dense = stemmed.dense.text;
  const single = {
    ...stemmed,
    sparse: {
      plain: plain.sparse.text,
      stemmed: stemmed.sparse.text,
      'classic idf': bm25({ idf: 'classic' }),
      'floored idf': bm25({ idf: 'classic-floored' }),
      'k1 1.2, b 0.75': bm25({ k1: 1.2, b: 0.75 }),
    },
    approximate: { ivf: invertedFile(dense, vectors) },
  };
  const words = wordVectors(texts);
  return {
    passages,
    encoder,
    vectors,
    sources: mergeSources(single, words.sources, learnedSparse(texts)),
    words,
    ids: { passage: passages.map(({ id }) => id) },
  };
});

function invertedFile({ level, encode }, vectors) {
  const built = once(() => IvfIndex.build(vectors));
  return {
    level,
    async search(query, { k, signal }) {
      const index = await built();
      return (await index.search(await encode(query, { signal }), { k: Math.min(k, index.rows), signal }))[0];
    },
  };
}

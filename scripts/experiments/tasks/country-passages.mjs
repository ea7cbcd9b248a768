/** The demo's 1,000 passages about 250 countries as sources of pipelines; the same for all tasks that search them. */
import { countryCorpus } from '../../../dist/esm/demo/countries/country-corpus.js';
import { flagPath } from '../../../dist/esm/demo/countries/flag-images.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { passageSources } from '../../../dist/esm/pipeline/index.js';
import { MemoryPassageStore } from '../../../dist/esm/retrievers/memory-passage-store.js';
import { builtInEncoders } from '../../../dist/esm/systems/built-in-encoders.js';
import { analyzer } from '../../../dist/esm/text/index.js';

/**
 * - `dense.text`: by vectors of words, pairs of words and letters, hashed to 2,048 numbers
 * - `sparse.plain`, `sparse.stemmed`: BM25 over lower-case words, and over stems without stop words
 */
async function build() {
  const passages = countryCorpus(flagPath).flatMap(({ entity, passages: own }) =>
    own.map(({ id, text }) => ({ id, text, entityId: entity.id, documentId: entity.id })),
  );
  const encoder = builtInEncoders().textEncoder;
  const texts = passages.map(({ text }) => text);
  await encoder.fit(texts);
  const { vectors } = await encoder.encodePassages(texts);
  const index = new FlatIndex({ dimension: encoder.dimension });
  await index.add(vectors);
  const store = new MemoryPassageStore({ index, passages });
  const plain = passageSources(store, {
    encoder,
    bm25: { analyzer: analyzer({ stopWords: false, stemming: false }) },
  });
  const stemmed = passageSources(store, { encoder });
  const sources = { ...stemmed, sparse: { plain: plain.sparse.text, stemmed: stemmed.sparse.text } };
  return { passages, sources, ids: { passage: passages.map(({ id }) => id) } };
}

let built;

/** Built once. */
export function countryPassages() {
  built ??= build();
  return built;
}

import type { TextEncoder } from '../../encoders/encoder.js';
import { adaptedLearning } from './adapted-learning.js';
import { type Adapter, adapterHash } from './adapter.js';

/**
 * A text encoder with an adapter's towers on top: queries go through the tower of queries, passages through that of documents, where there is
 * one. With a tower of documents it has a name and a version of its own, so that a corpus has to be encoded by it (`Corpus.reencode`); without one it
 * is the encoder that the corpus was built with, and searches its indexes. Vectors per token are left out.
 *
 * @throws GranuleError `ENCODER_MISMATCH` where the adapter was trained on another encoder, or on what this one learned from another corpus; where it has not learned
 * yet, `fit` and `restore` throw that
 */
export function adaptedTextEncoder(encoder: TextEncoder, adapter: Adapter): TextEncoder {
  const learning = adaptedLearning<string>(encoder, adapter);
  const { query, document } = adapter;
  const adapted: TextEncoder = {
    name: document === undefined ? encoder.name : `${encoder.name}+adapter`,
    version: document === undefined ? encoder.version : `${encoder.version}+${adapterHash(adapter)}`,
    dimension: query.output,
    async encodeQueries(texts, options = {}) {
      const { vectors } = await encoder.encodeQueries(texts, options);
      return { vectors: await query.encode(vectors, { signal: options.signal }) };
    },
    async encodePassages(texts, options = {}) {
      const { vectors } = await encoder.encodePassages(texts, options);
      return {
        vectors:
          document === undefined ? vectors : await document.encode(vectors, { signal: options.signal }),
      };
    },
  };
  return learning === undefined ? adapted : Object.assign(adapted, learning);
}

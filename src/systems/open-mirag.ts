import { Corpus } from '../corpus/corpus.js';
import { ExtractiveReader } from '../generators/extractive/extractive-reader.js';
import { DensePassageRetriever } from '../retrievers/dense-passage-retriever.js';
import { ImageEntityRetriever } from '../retrievers/image-entity-retriever.js';
import { builtInEncoders } from './built-in-encoders.js';
import { MiRag, type MiRagOptions } from './mirag.js';

/** A knowledge base, ready for questions. */
export interface OpenedMiRag {
  readonly corpus: Corpus;
  /** Pictures to entities, with late interaction. */
  readonly entities: ImageEntityRetriever;
  /** Texts to passages. */
  readonly passages: DensePassageRetriever;
  readonly mirag: MiRag;
  /** Frees the indexes and the corpus; nothing here can be used afterwards. */
  dispose(): void;
}

/**
 * Opens a corpus that was built with the built-in encoders and composes MiRAG over it, with the built-in reader.
 *
 * @example
 * ```ts
 * const kb = await openMiRag('my-kb');
 * const { answer } = await kb.mirag.ask({ question: 'What is the capital of this country?', image: 'picture.jpg' });
 * kb.dispose();
 * ```
 *
 * @throws GranuleError `CORPUS_NOT_FOUND`, `CORPUS_INVALID`, `ENCODER_MISMATCH`, `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED`
 */
export async function openMiRag(folder: string, options: MiRagOptions = {}): Promise<OpenedMiRag> {
  const { textEncoder, imageEncoder } = builtInEncoders();
  const corpus = await Corpus.open(folder, { textEncoder, imageEncoder });
  const entities = await ImageEntityRetriever.build(imageEncoder, {
    entities: corpus.picturedEntities,
    vectors: corpus.entityVectors,
    patches: corpus.entityPatches,
    patchQuads: corpus.patchQuads,
  });
  const passages = await DensePassageRetriever.build({
    encoder: textEncoder,
    passages: corpus.passages,
    vectors: corpus.passageVectors,
  });
  return {
    corpus,
    entities,
    passages,
    mirag: new MiRag({ entities, passages, generator: new ExtractiveReader() }, options),
    dispose() {
      entities.dispose();
      passages.dispose();
      corpus.close();
    },
  };
}

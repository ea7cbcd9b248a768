import { Corpus } from '../corpus/corpus.js';
import type { CorpusSnapshot } from '../corpus/snapshot/corpus-snapshot.js';
import type { ImageEncoder, TextEncoder } from '../encoders/encoder.js';
import { ExtractiveReader } from '../generators/extractive/extractive-reader.js';
import { DensePassageRetriever } from '../retrievers/dense-passage-retriever.js';
import { ImageEntityRetriever } from '../retrievers/image-entity-retriever.js';
import { builtInEncoders } from './built-in-encoders.js';
import { MiRag, type MiRagOptions } from './mirag.js';

/** A knowledge base, ready for questions. */
export interface OpenedMiRag {
  readonly corpus: Corpus;
  /** The state that is asked about. */
  readonly snapshot: CorpusSnapshot;
  /** Pictures to entities, with late interaction. */
  readonly entities: ImageEntityRetriever;
  /** Texts to passages. */
  readonly passages: DensePassageRetriever;
  readonly mirag: MiRag;
  /** Releases the snapshot and closes the corpus; nothing here can be used afterwards. */
  dispose(): Promise<void>;
}

/** Options of {@link openMiRag}. */
export interface OpenMiRagOptions extends MiRagOptions {
  /** Puts something on top of the encoders of queries, with what they learned from the corpus: adapters, say. */
  readonly adapt?: ((encoders: OpenedEncoders) => Partial<OpenedEncoders>) | undefined;
  /** Gives what the corpus was encoded with, where that is more than the built-in encoders: those with an adapter that has a tower of documents, say. */
  readonly encodedBy?: ((builtIn: OpenedEncoders) => Partial<OpenedEncoders>) | undefined;
}

/** The encoders of a corpus that is open. */
export interface OpenedEncoders {
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
}

/**
 * Opens a corpus that was built with the built-in encoders, or with what `encodedBy` makes of them, and composes MiRAG over its present state, with the built-in reader.
 * Nothing is written.
 *
 * @example
 * ```ts
 * const kb = await openMiRag('my-kb');
 * const { answer } = await kb.mirag.ask({ question: 'What is the capital of this country?', image: 'picture.jpg' });
 * await kb.dispose();
 * ```
 *
 * @throws GranuleError `CORPUS_NOT_FOUND`, `CORPUS_INVALID`, `ENCODER_MISMATCH`, `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED`
 */
export async function openMiRag(
  folder: string,
  { adapt, encodedBy, ...options }: OpenMiRagOptions = {},
): Promise<OpenedMiRag> {
  const builtIn = builtInEncoders();
  const encoders: OpenedEncoders = { ...builtIn, ...encodedBy?.(builtIn) };
  const corpus = await Corpus.open(folder, encoders, { readOnly: true });
  try {
    const { textEncoder, imageEncoder }: OpenedEncoders = { ...encoders, ...adapt?.(encoders) };
    const snapshot = await corpus.snapshot();
    const entities = new ImageEntityRetriever(imageEncoder, snapshot);
    const passages = new DensePassageRetriever({ encoder: textEncoder, store: snapshot });
    return {
      corpus,
      snapshot,
      entities,
      passages,
      mirag: new MiRag({ entities, passages, generator: new ExtractiveReader() }, options),
      async dispose() {
        await snapshot.release();
        await corpus.close();
      },
    };
  } catch (error) {
    await corpus.close();
    throw error;
  }
}

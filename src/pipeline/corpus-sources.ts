import type { CorpusSnapshot } from '../corpus/snapshot/corpus-snapshot.js';
import type { ImageEncoder, TextEncoder } from '../encoders/encoder.js';
import type { Bm25SourceOptions } from './bm25-passage-source.js';
import { imageSources } from './image-sources.js';
import { type PassageSources, passageSources } from './passage-sources.js';
import { mergeSources } from './sources.js';

/** What the sources of a corpus are made of. */
export interface CorpusSourcesOptions {
  /** Those that the corpus was opened with. */
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
  /** How BM25 reads and weighs the passages. */
  readonly bm25?: Bm25SourceOptions | undefined;
}

/**
 * All of a corpus as sources of a pipeline: `passageSources` and `imageSources` together.
 *
 * @example
 * ```ts
 * const corpus = await Corpus.open('my-kb', encoders, { readOnly: true });
 * const snapshot = await corpus.snapshot();
 * const sources = corpusSources(snapshot, encoders);
 * const retriever = pipeline([dense({ source: 'text' }), aggregate({ by: 'entity' })], { sources });
 * ```
 */
export function corpusSources(
  snapshot: CorpusSnapshot,
  { textEncoder, imageEncoder, bm25 }: CorpusSourcesOptions,
): PassageSources {
  const passages = passageSources(snapshot, { encoder: textEncoder, bm25 });
  const images = imageSources(snapshot, { encoder: imageEncoder });
  return { ...mergeSources(passages, images), [Symbol.dispose]: () => passages[Symbol.dispose]() };
}

import type { ImageEncoder, TextEncoder } from '../../encoders/encoder.js';
import { adaptedImageEncoder } from './adapted-image-encoder.js';
import { adaptedTextEncoder } from './adapted-text-encoder.js';
import { type Adapter, loadAdapter } from './adapter.js';

/** The encoders of a corpus. */
interface Encoders {
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
}

/** An adapter for the encoders of a corpus. */
export interface CorpusAdapter {
  /** Whether it has a tower of documents: a corpus is searched with it once it has been encoded with it (`Corpus.reencode`). */
  readonly ofDocuments: boolean;
  /**
   * Puts it on top of the encoders: of texts where it was trained on texts, of images where on pictures.
   *
   * @throws GranuleError `ENCODER_MISMATCH` where it was trained on other encoders
   */
  adapt(encoders: Encoders): Partial<Encoders>;
}

/**
 * Reads an adapter that `trainCorpusRetriever` or `granule train` has made.
 *
 * @throws GranuleError as `loadAdapter`
 */
export async function readCorpusAdapter(file: string): Promise<CorpusAdapter> {
  const adapter = await loadAdapter(file);
  return {
    ofDocuments: adapter.document !== undefined,
    adapt: ({ textEncoder, imageEncoder }) =>
      isOfImages(adapter, imageEncoder)
        ? { imageEncoder: adaptedImageEncoder(imageEncoder, adapter) }
        : { textEncoder: adaptedTextEncoder(textEncoder, adapter) },
  };
}

/** By what the trainer wrote, so that an adapter of other pictures is compared with the encoder of pictures; else by the encoder's name. */
function isOfImages({ encoder, training }: Adapter, imageEncoder: ImageEncoder): boolean {
  return training?.['of'] === 'images' || encoder.name === imageEncoder.name;
}

import type { ImageEncoder, TextEncoder } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { adaptedImageEncoder } from './adapted-image-encoder.js';
import { adaptedTextEncoder } from './adapted-text-encoder.js';
import { type Adapter, loadAdapter } from './adapter.js';

/** The encoders of a corpus. */
interface Encoders {
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
}

/**
 * Reads an adapter of queries for a corpus whose indexes stay as they are.
 *
 * @returns what puts it on top of the corpus's encoders: of texts where it was trained on texts, of images where on pictures
 * @throws GranuleError as `loadAdapter`; `ENCODER_MISMATCH` for an adapter with a tower of documents. What is returned throws `ENCODER_MISMATCH` where
 * the corpus was built with another encoder
 */
export async function readQueryAdapter(file: string): Promise<(encoders: Encoders) => Partial<Encoders>> {
  const adapter = await loadAdapter(file);
  if (adapter.document !== undefined) {
    throw new GranuleError(
      'ENCODER_MISMATCH',
      `${file} has a tower of documents, too: only programs search with it, in a knowledge base that Corpus.reencode has encoded with it`,
      { file },
    );
  }
  return ({ textEncoder, imageEncoder }) =>
    isOfImages(adapter, imageEncoder)
      ? { imageEncoder: adaptedImageEncoder(imageEncoder, adapter) }
      : { textEncoder: adaptedTextEncoder(textEncoder, adapter) };
}

/** By what the trainer wrote, so that an adapter of other pictures is compared with the encoder of pictures; else by the encoder's name. */
function isOfImages({ encoder, training }: Adapter, imageEncoder: ImageEncoder): boolean {
  return training?.['of'] === 'images' || encoder.name === imageEncoder.name;
}

import { DescriptorImageEncoder } from '../encoders/descriptor/descriptor-image-encoder.js';
import { NgramTextEncoder } from '../encoders/ngram/ngram-text-encoder.js';
import {
  imageEncoderInThreads,
  type ThreadedImageEncoder,
} from '../encoders/threads/threaded-image-encoder.js';
import {
  type FittedThreadedTextEncoder,
  textEncoderInThreads,
} from '../encoders/threads/threaded-text-encoder.js';

/** New instances of the encoders that need no weights: pixel descriptors for images, n-grams for texts. */
export function builtInEncoders(): { textEncoder: NgramTextEncoder; imageEncoder: DescriptorImageEncoder } {
  return { textEncoder: new NgramTextEncoder(), imageEncoder: new DescriptorImageEncoder() };
}

/** The same in threads, for much to encode. */
export interface BuiltInEncodersInThreads {
  readonly textEncoder: FittedThreadedTextEncoder;
  readonly imageEncoder: ThreadedImageEncoder;
  /** Ends the threads. */
  close(): Promise<void>;
}

/**
 * New instances of the encoders that need no weights, in threads: the same bits from all cores.
 *
 * @param options - as `textEncoderInThreads` has them
 */
export function builtInEncodersInThreads(
  options: { readonly threads?: number } = {},
): BuiltInEncodersInThreads {
  const { textEncoder, imageEncoder } = builtInEncoders();
  const texts = textEncoderInThreads(textEncoder, options);
  const images = imageEncoderInThreads(imageEncoder, options);
  return {
    textEncoder: texts,
    imageEncoder: images,
    async close() {
      await Promise.all([texts.close(), images.close()]);
    },
  };
}

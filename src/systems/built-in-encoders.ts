import { DescriptorImageEncoder } from '../encoders/descriptor/descriptor-image-encoder.js';
import { NgramTextEncoder } from '../encoders/ngram/ngram-text-encoder.js';

/** New instances of the encoders that need no weights: pixel descriptors for images, n-grams for texts. */
export function builtInEncoders(): { textEncoder: NgramTextEncoder; imageEncoder: DescriptorImageEncoder } {
  return { textEncoder: new NgramTextEncoder(), imageEncoder: new DescriptorImageEncoder() };
}

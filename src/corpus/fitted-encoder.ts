import type { EncoderIdentity } from '../encoders/encoder.js';

/** The part that encoders which learn from the corpus have in common, whatever they learn from. */
export interface FittedEncoder<T> extends EncoderIdentity {
  fit(items: Iterable<T>): void | Promise<void>;
  state(): Uint8Array;
  restore(state: Uint8Array): void;
}

/** Whether an encoder must learn from the items of a corpus before it encodes. */
export function isFittedEncoder<T>(encoder: EncoderIdentity): encoder is FittedEncoder<T> {
  return 'fit' in encoder && typeof encoder.fit === 'function';
}

import { type FittedEncoder, isFittedEncoder } from '../../corpus/fitted-encoder.js';
import type { EncoderIdentity } from '../../encoders/encoder.js';
import { type Adapter, requireEncoderOf } from './adapter.js';

/**
 * What an adapted encoder has of one that learns from its corpus: the same, but that it must learn what the adapter was trained on. An encoder that
 * has not learned yet is checked when it does, or when a corpus gives it back what it learned.
 *
 * @returns undefined for an encoder that learns nothing
 * @throws GranuleError `ENCODER_MISMATCH` where the adapter was trained on another encoder, or on what this one learned from another corpus
 */
export function adaptedLearning<Item>(
  encoder: EncoderIdentity,
  adapter: Adapter,
): Pick<FittedEncoder<Item>, 'fit' | 'state' | 'restore'> | undefined {
  requireEncoderOf(adapter, encoder);
  if (!isFittedEncoder<Item>(encoder)) return undefined;
  return {
    async fit(items) {
      await encoder.fit(items);
      requireEncoderOf(adapter, encoder);
    },
    state: () => encoder.state(),
    restore(state) {
      encoder.restore(state);
      requireEncoderOf(adapter, encoder);
    },
  };
}

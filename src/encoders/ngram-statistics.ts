import { createHash } from 'node:crypto';
import { GranuleError } from '../errors.js';
import type { TextFeatures } from './text-features.js';

/** Counters of passages per feature; features share one where their hashes agree modulo this. */
const BUCKETS = 1 << 18;

const MAGIC = 'GRNNGRAM';
const FORMAT = 1;
const HEADER_BYTES = 20;
const DIGEST_BYTES = 32;
const STATE_BYTES = HEADER_BYTES + BUCKETS * 4 + DIGEST_BYTES;

/** In how many passages each hashed feature occurs. */
export class NgramStatistics {
  readonly documentFrequencies: Uint32Array;
  #passages: number;

  constructor(documentFrequencies = new Uint32Array(BUCKETS), passages = 0) {
    this.documentFrequencies = documentFrequencies;
    this.#passages = passages;
  }

  /** Number of passages counted. */
  get passages(): number {
    return this.#passages;
  }

  /** Counts one passage. */
  count(features: TextFeatures): void {
    const seen = new Set<number>();
    for (const group of features.groups) {
      for (const feature of group.keys()) seen.add(feature % BUCKETS);
    }
    for (const bucket of seen) this.documentFrequencies[bucket]! += 1;
    this.#passages += 1;
  }

  /** ln(1 + (N - df + 0.5) / (df + 0.5)); 0 for a feature that no passage has. */
  idf(feature: number): number {
    const df = this.documentFrequencies[feature % BUCKETS]!;
    return df === 0 ? 0 : Math.log(1 + (this.#passages - df + 0.5) / (df + 0.5));
  }
}

/**
 * Statistics as bytes: `GRNNGRAM`, then little-endian uint32 format, bucket count and passage count, one uint32 per
 * bucket, and the SHA-256 of all that.
 */
export function encodeNgramStatistics(statistics: NgramStatistics): Uint8Array {
  const state = new Uint8Array(STATE_BYTES);
  const view = new DataView(state.buffer);
  state.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, BUCKETS, true);
  view.setUint32(16, statistics.passages, true);
  for (const [bucket, df] of statistics.documentFrequencies.entries()) {
    view.setUint32(HEADER_BYTES + bucket * 4, df, true);
  }
  state.set(digest(state), STATE_BYTES - DIGEST_BYTES);
  return state;
}

/** @throws GranuleError `CORPUS_INVALID` where the bytes are not such a state, whole and unaltered */
export function decodeNgramStatistics(state: Uint8Array): NgramStatistics {
  const invalid = (reason: string) =>
    new GranuleError('CORPUS_INVALID', `the text encoder's state is ${reason}`, { reason });
  if (new TextDecoder('latin1').decode(state.subarray(0, 8)) !== MAGIC) throw invalid('not an n-gram state');
  if (state.length < HEADER_BYTES) throw invalid('truncated');
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  if (view.getUint32(8, true) !== FORMAT || view.getUint32(12, true) !== BUCKETS)
    throw invalid('of another version');
  if (state.length !== STATE_BYTES) throw invalid('of the wrong length');
  const expected = digest(state);
  if (expected.some((byte, i) => byte !== state[STATE_BYTES - DIGEST_BYTES + i])) throw invalid('damaged');
  const documentFrequencies = new Uint32Array(BUCKETS);
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    documentFrequencies[bucket] = view.getUint32(HEADER_BYTES + bucket * 4, true);
  }
  return new NgramStatistics(documentFrequencies, view.getUint32(16, true));
}

function digest(state: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update(state.subarray(0, STATE_BYTES - DIGEST_BYTES))
    .digest();
}

import { createHash } from 'node:crypto';
import { GranuleError } from '../../errors.js';
import { mixHash } from './feature-hash.js';

/** Counters per row. */
const BUCKETS = 1 << 18;
const ROWS = 4;
const ROW_STEP = 0x9e3779b9;

const MAGIC = 'GRNNGRAM';
const FORMAT = 1;
const HEADER_BYTES = 20;
const DIGEST_BYTES = 32;
const STATE_BYTES = HEADER_BYTES + ROWS * BUCKETS * 4 + DIGEST_BYTES;

/**
 * In how many passages each hashed feature occurs, in 4 MiB whatever the corpus: a count-min sketch of 4 rows of 2^18
 * counters. A feature has one counter in each row, and its count is the smallest of the four, which is too large only
 * where all four are shared with others.
 */
export class NgramStatistics {
  readonly counters: Uint32Array;
  #passages: number;

  constructor(counters = new Uint32Array(ROWS * BUCKETS), passages = 0) {
    this.counters = counters;
    this.#passages = passages;
  }

  /** Number of passages counted. */
  get passages(): number {
    return this.#passages;
  }

  /** Adds passages without features; `add` counts those. */
  addPassages(count: number): void {
    this.#passages += count;
  }

  /** Adds the number of passages, counted already, in which a feature occurs. */
  add(feature: number, passages: number): void {
    for (let row = 0; row < ROWS; row++) this.counters[place(feature, row)]! += passages;
  }

  /** Adds what was counted of other passages. */
  merge(other: NgramStatistics): void {
    for (let i = 0; i < this.counters.length; i++) this.counters[i]! += other.counters[i]!;
    this.#passages += other.#passages;
  }

  /** ln(1 + (N - df + 0.5) / (df + 0.5)); 0 for a feature that no passage has. */
  idf(feature: number): number {
    let df = this.#passages;
    for (let row = 0; row < ROWS; row++) df = Math.min(df, this.counters[place(feature, row)]!);
    return df === 0 ? 0 : Math.log(1 + (this.#passages - df + 0.5) / (df + 0.5));
  }
}

function place(feature: number, row: number): number {
  return row * BUCKETS + (mixHash((feature + Math.imul(row + 1, ROW_STEP)) >>> 0) % BUCKETS);
}

/**
 * Statistics as bytes: `GRNNGRAM`, then little-endian uint32 format, number of counters and of passages, the counters, and the SHA-256 of all that.
 */
export function encodeNgramStatistics(statistics: NgramStatistics): Uint8Array {
  const state = new Uint8Array(STATE_BYTES);
  const view = new DataView(state.buffer);
  state.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, ROWS * BUCKETS, true);
  view.setUint32(16, statistics.passages, true);
  const { counters } = statistics;
  for (let i = 0; i < counters.length; i++) view.setUint32(HEADER_BYTES + i * 4, counters[i]!, true);
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
  if (view.getUint32(8, true) !== FORMAT || view.getUint32(12, true) !== ROWS * BUCKETS)
    throw invalid('of another version');
  if (state.length !== STATE_BYTES) throw invalid('of the wrong length');
  const expected = digest(state);
  if (expected.some((byte, i) => byte !== state[STATE_BYTES - DIGEST_BYTES + i])) throw invalid('damaged');
  const counters = new Uint32Array(ROWS * BUCKETS);
  for (let i = 0; i < counters.length; i++) counters[i] = view.getUint32(HEADER_BYTES + i * 4, true);
  return new NgramStatistics(counters, view.getUint32(16, true));
}

function digest(state: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update(state.subarray(0, STATE_BYTES - DIGEST_BYTES))
    .digest();
}

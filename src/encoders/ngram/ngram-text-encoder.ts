import { GranuleError } from '../../errors.js';
import { ownSpec } from '../../threads/own-spec.js';
import type { ThreadSpec } from '../../threads/thread-spec.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';
import type { DivisibleTextEncoder, EncodeOptions, PassageLearner, TextEmbeddings } from '../encoder.js';
import { foldedWords } from '../fold-text.js';
import { mixHash } from './feature-hash.js';
import { decodeNgramStatistics, encodeNgramStatistics, NgramStatistics } from './ngram-statistics.js';
import { PassageCounter } from './passage-counter.js';
import { FEATURE_GROUPS, type TextFeatures, textFeatures } from './text-features.js';

/** Weights of the groups of features in a text's vector; only their ratios matter. */
export type NgramWeights = Readonly<Record<(typeof FEATURE_GROUPS)[number], number>>;

/** Options of {@link NgramTextEncoder}. */
export interface NgramTextEncoderOptions {
  /** Numbers of a vector; default 2048. */
  readonly dimension?: number;
  /** Weights for passages; default word 1, bigram 0.3, characters 0.5. */
  readonly passageWeights?: NgramWeights;
  /** Weights for queries; default word 1, bigram 0.3, characters 0.3. */
  readonly queryWeights?: NgramWeights;
}

const DEFAULT_DIMENSION = 2048;
const PASSAGE_WEIGHTS: NgramWeights = { word: 1, bigram: 0.3, characters: 0.5 };
const QUERY_WEIGHTS: NgramWeights = { word: 1, bigram: 0.3, characters: 0.3 };

/** A passage's heading: what stands before its first full stop, colon or line break, if that is short. */
const HEADING = /^[^.:\n]*/u;
const LONGEST_HEADING = 8;
const HEADING_TIMES = 8;

/** Places that each feature is added to. */
const PLACES = 4;
const COPY_STEP = 0x9e3779b9;

/** Texts that are encoded between two looks at the abort signal. */
const CHUNK = 64;

/**
 * A text encoder without weights: hashed words, word pairs and character n-grams.
 *
 * For each group g of features (see `textFeatures`), a feature f with tf occurrences weighs
 * `(1 + ln tf) * idf(f)`, where `idf(f) = ln(1 + (N - df + 0.5) / (df + 0.5))` over the N fitted passages; the weights of
 * a group are scaled to Euclidean norm w_g, and each is added with hashed signs to four hashed places of `dimension` (so
 * two words that meet in one place still differ in the others). The sum is scaled to norm 1 (a text without any feature gives zeros), so inner products are cosines.
 *
 * The words of a passage's heading count eight times: passages are headed by the title of what they are about, and a
 * question that names it wants those passages first, not others that mention it.
 *
 * Features of a query that no fitted passage has are left out: they could only meet others by chance.
 */
export class NgramTextEncoder implements DivisibleTextEncoder {
  readonly name = 'ngram-text';
  readonly version = '1';
  readonly dimension: number;
  readonly spec: ThreadSpec | undefined;
  readonly #passageWeights: NgramWeights;
  readonly #queryWeights: NgramWeights;
  #statistics: NgramStatistics | undefined;

  /** @throws GranuleError `DIMENSION_INVALID` or `INVALID_ARGUMENT` */
  constructor(options: NgramTextEncoderOptions = {}) {
    this.dimension = options.dimension ?? DEFAULT_DIMENSION;
    if (!Number.isSafeInteger(this.dimension) || this.dimension < 1 || this.dimension > 2 ** 24) {
      throw new GranuleError(
        'DIMENSION_INVALID',
        `dimension must be an integer from 1 to 2^24, got ${this.dimension}`,
        {
          dimension: this.dimension,
        },
      );
    }
    this.#passageWeights = checkedWeights(options.passageWeights ?? PASSAGE_WEIGHTS);
    this.#queryWeights = checkedWeights(options.queryWeights ?? QUERY_WEIGHTS);
    this.spec = ownSpec('encoders/ngram/ngram-text-encoder.js', 'NgramTextEncoder', options);
  }

  /**
   * Counts in how many passages each feature occurs. Replaces what was learned before.
   *
   * @throws GranuleError `INVALID_ARGUMENT` where there is no passage
   */
  fit(passages: Iterable<string>): void {
    const statistics = new NgramStatistics();
    const counter = new PassageCounter(statistics);
    for (const passage of passages) counter.count(passage);
    counter.finish();
    if (statistics.passages === 0) {
      throw new GranuleError('INVALID_ARGUMENT', 'a text encoder cannot be fitted to no passages');
    }
    this.#statistics = statistics;
  }

  /** Counts some of the passages; `fitParts` adds up what several learners have counted. */
  learner(): PassageLearner {
    const statistics = new NgramStatistics();
    const counter = new PassageCounter(statistics);
    return {
      learn: (passages) => {
        for (const passage of passages) counter.count(passage);
      },
      part: () => {
        counter.finish();
        return encodeNgramStatistics(statistics);
      },
    };
  }

  /** @throws GranuleError `CORPUS_INVALID` where a part is not one of a learner's */
  fitParts(parts: readonly Uint8Array[]): void {
    const statistics = new NgramStatistics();
    for (const part of parts) statistics.merge(decodeNgramStatistics(part));
    this.#statistics = statistics;
  }

  /** @throws GranuleError `INVALID_ARGUMENT` before the first fit or restore */
  state(): Uint8Array {
    return encodeNgramStatistics(this.#fitted());
  }

  /** @throws GranuleError `CORPUS_INVALID` where `state` is damaged or of another version */
  restore(state: Uint8Array): void {
    this.#statistics = decodeNgramStatistics(state);
  }

  /** @throws GranuleError `INVALID_ARGUMENT` before the first fit or restore; `ABORTED` */
  encodeQueries(texts: readonly string[], options?: EncodeOptions): Promise<TextEmbeddings> {
    return this.#encode(texts, (text) => textFeatures(text), this.#queryWeights, options);
  }

  /** @throws GranuleError `INVALID_ARGUMENT` before the first fit or restore; `ABORTED` */
  encodePassages(texts: readonly string[], options?: EncodeOptions): Promise<TextEmbeddings> {
    return this.#encode(texts, passageFeatures, this.#passageWeights, options);
  }

  async #encode(
    texts: readonly string[],
    features: (text: string) => TextFeatures,
    weights: NgramWeights,
    options: EncodeOptions | undefined,
  ): Promise<TextEmbeddings> {
    const statistics = this.#fitted();
    const vectors: Matrix = matrix(new Float32Array(texts.length * this.dimension), this.dimension);
    const sums = new Float64Array(this.dimension);
    for (let row = 0; row < texts.length; row++) {
      if (row % CHUNK === 0) {
        if (row > 0) await new Promise((resume) => setImmediate(resume));
        if (options?.signal?.aborted) throw new GranuleError('ABORTED', 'encoding was aborted');
      }
      sums.fill(0);
      this.#addFeatures(features(texts[row]!), weights, statistics, sums);
      const norm = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
      if (norm > 0)
        vectors.data.set(
          sums.map((value) => value / norm),
          row * this.dimension,
        );
    }
    return { vectors };
  }

  #addFeatures(
    { groups }: TextFeatures,
    weights: NgramWeights,
    statistics: NgramStatistics,
    sums: Float64Array,
  ): void {
    for (const [g, name] of FEATURE_GROUPS.entries()) {
      const weighted: [feature: number, weight: number][] = [];
      let squares = 0;
      for (const [feature, tf] of groups[g]!) {
        const weight = (1 + Math.log(tf)) * statistics.idf(feature);
        weighted.push([feature, weight]);
        squares += weight * weight;
      }
      if (squares === 0) continue;
      const scale = weights[name] / Math.sqrt(squares);
      for (const [feature, weight] of weighted) {
        let hash = feature;
        for (let copy = 0; copy < PLACES; copy++) {
          hash = mixHash((hash + COPY_STEP) >>> 0);
          sums[(hash >>> 1) % this.dimension]! += (hash & 1) === 0 ? weight * scale : -weight * scale;
        }
      }
    }
  }

  #fitted(): NgramStatistics {
    if (this.#statistics === undefined) {
      throw new GranuleError('INVALID_ARGUMENT', `${this.name} must be fitted or restored before it is used`);
    }
    return this.#statistics;
  }
}

function checkedWeights(weights: NgramWeights): NgramWeights {
  for (const name of FEATURE_GROUPS) {
    if (!(Number.isFinite(weights[name]) && weights[name] >= 0)) {
      throw new GranuleError('INVALID_ARGUMENT', `weight of ${name} must be a number of at least 0`, {
        name,
      });
    }
  }
  return weights;
}

/** The words of a passage's heading count `HEADING_TIMES` times. */
function passageFeatures(text: string): TextFeatures {
  const heading = foldedWords(HEADING.exec(text)?.[0] ?? '').length;
  return textFeatures(text, (place) => (place < heading && heading <= LONGEST_HEADING ? HEADING_TIMES : 1));
}

import type { Passage } from '../corpus/records.js';
import type { TextEncoder } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Matrix } from '../vectors/matrix.js';
import type { PassageHit, PassageRetriever, RetrieveOptions, Timings } from './retriever.js';

/**
 * Softmax temperature of passage scores: the one, of .005 to .15, that answers most training questions of the demo right
 * where the country is given. It is far above the .01 of learned encoders, since n-gram scores tell the right subject
 * well, but tell little about which of its passages holds the answer; that is left to the reader.
 */
export const PASSAGE_TEMPERATURE = 0.1;

/** What a {@link DensePassageRetriever} is made of. */
export interface DensePassageRetrieverParts {
  readonly encoder: TextEncoder;
  /** Row r of the index is the vector of `passages[r]`. */
  readonly index: FlatIndex;
  readonly passages: readonly Passage[];
  /** Temperature of the softmax over the hits of a list; default {@link PASSAGE_TEMPERATURE}. */
  readonly temperature?: number;
}

/** Exact search for passages by inner product of text vectors: score = <query, passage>. */
export class DensePassageRetriever implements PassageRetriever, Disposable {
  readonly #encoder: TextEncoder;
  readonly #index: FlatIndex;
  readonly #passages: readonly Passage[];
  readonly #temperature: number;

  /** @throws GranuleError `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID` */
  constructor(parts: DensePassageRetrieverParts) {
    const { encoder, index, passages, temperature = PASSAGE_TEMPERATURE } = parts;
    if (index.dimension !== encoder.dimension) {
      throw new GranuleError(
        'DIMENSION_INVALID',
        `the index has ${index.dimension} dimensions, the encoder ${encoder.dimension}`,
        { index: index.dimension, encoder: encoder.dimension },
      );
    }
    if (index.rows !== passages.length) {
      throw new GranuleError('LENGTH_MISMATCH', `${index.rows} vectors for ${passages.length} passages`, {
        rows: index.rows,
        passages: passages.length,
      });
    }
    if (!(Number.isFinite(temperature) && temperature > 0)) {
      throw new GranuleError(
        'TEMPERATURE_INVALID',
        `temperature must be finite and above 0, got ${temperature}`,
        {
          temperature,
        },
      );
    }
    this.#encoder = encoder;
    this.#index = index;
    this.#passages = passages;
    this.#temperature = temperature;
  }

  /**
   * Makes a retriever with an index of its own.
   *
   * @param options - `vectors`: the passages' vectors where they are known; they are encoded otherwise
   * @throws GranuleError as the constructor, `FlatIndex.add` and the encoder do
   */
  static async build(options: {
    readonly encoder: TextEncoder;
    readonly passages: readonly Passage[];
    readonly vectors?: Matrix;
    readonly temperature?: number;
    readonly signal?: AbortSignal;
  }): Promise<DensePassageRetriever> {
    const { encoder, passages, signal, temperature } = options;
    const abort = signal === undefined ? {} : { signal };
    const texts = passages.map(({ text }) => text);
    const vectors = options.vectors ?? (await encoder.encodePassages(texts, abort)).vectors;
    const index = new FlatIndex({ dimension: encoder.dimension });
    await index.add(vectors, abort);
    return new DensePassageRetriever({
      encoder,
      index,
      passages,
      ...(temperature === undefined ? {} : { temperature }),
    });
  }

  /**
   * @param timings - `encodeText` and `searchPassages` are added
   * @throws GranuleError `K_OUT_OF_RANGE`, `EMPTY_INDEX`, `ABORTED`
   */
  async retrieve(
    texts: readonly string[],
    { k, signal }: RetrieveOptions,
    timings: Timings = {},
  ): Promise<PassageHit[][]> {
    if (!Number.isSafeInteger(k) || k < 1) {
      throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
    }
    if (this.#passages.length === 0) throw new GranuleError('EMPTY_INDEX', 'there are no passages to search');
    if (texts.length === 0) return [];
    const abort = signal === undefined ? {} : { signal };
    const start = performance.now();
    const { vectors } = await this.#encoder.encodeQueries(texts, abort);
    const encoded = performance.now();
    const hits = await this.#index.search(vectors, {
      k: Math.min(k, this.#passages.length),
      temperature: this.#temperature,
      ...abort,
    });
    timings['encodeText'] = (timings['encodeText'] ?? 0) + encoded - start;
    timings['searchPassages'] = (timings['searchPassages'] ?? 0) + performance.now() - encoded;
    return texts.map((_, query) =>
      Array.from({ length: hits.counts[query]! }, (_, place) => {
        const at = query * hits.k + place;
        return {
          item: this.#passages[hits.rows[at]!]!,
          score: hits.scores[at]!,
          probability: hits.probabilities![at]!,
        };
      }),
    );
  }

  /** Frees the index. */
  dispose(): void {
    this.#index.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

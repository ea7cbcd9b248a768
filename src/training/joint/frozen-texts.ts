import type { TextEncoder } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';

/** Vectors that are kept, the latest ones: of 768 numbers each 48 MB. */
const KEPT_VECTORS = 16_384;

/** The frozen vectors of query texts, each of which is encoded once as long as it is among the latest. */
export class FrozenTexts {
  readonly #encoder: Pick<TextEncoder, 'dimension' | 'encodeQueries'>;
  readonly #kept = new Map<string, Float32Array>();

  constructor(encoder: Pick<TextEncoder, 'dimension' | 'encodeQueries'>) {
    this.#encoder = encoder;
  }

  /** @returns texts x the encoder's dimension */
  async vectorsOf(texts: readonly string[], signal: AbortSignal | undefined): Promise<Matrix> {
    const { dimension } = this.#encoder;
    const vectors = new Map(texts.map((text) => [text, this.#kept.get(text)] as const));
    const missing = [...vectors].flatMap(([text, vector]) => (vector === undefined ? [text] : []));
    if (missing.length > 0) {
      const { vectors: encoded } = await this.#encoder.encodeQueries(missing, signal ? { signal } : {});
      if (encoded.columns !== dimension || encoded.rows !== missing.length) {
        throw new GranuleError(
          'LENGTH_MISMATCH',
          `the encoder gave ${encoded.rows} x ${encoded.columns} numbers for ${missing.length} texts of ${dimension}`,
          { length: encoded.data.length, expected: missing.length * dimension },
        );
      }
      for (const [i, text] of missing.entries()) {
        vectors.set(text, encoded.data.slice(i * dimension, (i + 1) * dimension));
      }
    }
    const data = new Float32Array(texts.length * dimension);
    for (const [i, text] of texts.entries()) data.set(vectors.get(text)!, i * dimension);
    for (const [text, vector] of vectors) {
      this.#kept.delete(text);
      this.#kept.set(text, vector!);
    }
    while (this.#kept.size > KEPT_VECTORS) this.#kept.delete(this.#kept.keys().next().value!);
    return matrix(data, dimension);
  }
}

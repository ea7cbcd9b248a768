/**
 * Parts of systems that remember what they gave: the systems of the ablation have most parts in common, and none does the same work
 * twice.
 *
 * @module
 */
import type { Passage } from '../../corpus/records.js';
import type { FittedTextEncoder, ImageQuery } from '../../encoders/encoder.js';
import type { GeneratedAnswer, Generator } from '../../generators/generator.js';
import type { EntityHit, PassageHit, PassageRetriever, RetrieveOptions } from '../../retrievers/retriever.js';
import { matrix } from '../../vectors/matrix.js';
import type { EncodedEntityRetriever } from '../learning/encoded-entity-retriever.js';

/** Values that are kept before all are forgotten; a question brings some ten. */
const MOST_KEPT = 2000;
/** As many of a picture as there are systems that look at it by themselves. */
const MOST_VIEWED = 4;

/** Values by text, each made once. */
class Kept<T> {
  readonly #values = new Map<string, T>();

  async all(
    texts: readonly string[],
    make: (missing: readonly string[]) => Promise<readonly T[]>,
  ): Promise<T[]> {
    if (this.#values.size > MOST_KEPT) this.#values.clear();
    const missing = [...new Set(texts)].filter((text) => !this.#values.has(text));
    if (missing.length > 0) {
      const made = await make(missing);
      for (const [i, text] of missing.entries()) this.#values.set(text, made[i]!);
    }
    return texts.map((text) => this.#values.get(text)!);
  }
}

/** Asks a retriever once for each picture and question, one after the other. */
export class EntitiesOnce implements EncodedEntityRetriever {
  readonly #retriever: EncodedEntityRetriever;
  #last: { query: ImageQuery; question: string | undefined; hits: Promise<EntityHit[]> } | undefined;

  constructor(retriever: EncodedEntityRetriever) {
    this.#retriever = retriever;
  }

  /** @param options - the same for every call, but for the question */
  retrieveEncoded(query: ImageQuery, options: RetrieveOptions): Promise<EntityHit[]> {
    const { question } = options;
    if (this.#last?.query !== query || this.#last.question !== question) {
      this.#last = { query, question, hits: this.#retriever.retrieveEncoded(query, options) };
    }
    return this.#last.hits;
  }
}

/** Looks once through the same views of a picture, whoever asks for them. */
export class ViewsOnce implements EncodedEntityRetriever {
  readonly #retriever: EncodedEntityRetriever;
  #kept: { readonly query: ImageQuery; readonly hits: Promise<EntityHit[]> }[] = [];

  constructor(retriever: EncodedEntityRetriever) {
    this.#retriever = retriever;
  }

  /** @param options - the same for every call, but for the question, which the retriever leaves alone */
  retrieveEncoded(query: ImageQuery, options: RetrieveOptions): Promise<EntityHit[]> {
    const same = this.#kept.find((kept) => sameViews(kept.query, query));
    if (same !== undefined) return same.hits;
    const hits = this.#retriever.retrieveEncoded(query, options);
    this.#kept = [{ query, hits }, ...this.#kept].slice(0, MOST_VIEWED);
    return hits;
  }
}

function sameViews(one: ImageQuery, other: ImageQuery): boolean {
  if (one === other) return true;
  const same = (a: Float32Array, b: Float32Array) =>
    a.length === b.length && a.every((value, i) => value === b[i]);
  return same(one.viewQuads, other.viewQuads) && same(one.views.data, other.views.data);
}

/** Searches once for each text: for `depth` passages, of which fewer are the first. Probabilities are those over `depth`. */
export class PassagesOnce implements PassageRetriever {
  readonly #retriever: PassageRetriever;
  readonly #depth: number;
  readonly #kept = new Kept<PassageHit[]>();

  constructor(retriever: PassageRetriever, depth: number) {
    this.#retriever = retriever;
    this.#depth = depth;
  }

  /** @param options - `k` is at most `depth`; the rest is the same for every call */
  async retrieve(texts: readonly string[], options: RetrieveOptions): Promise<PassageHit[][]> {
    const hits = await this.#kept.all(texts, (missing) =>
      this.#retriever.retrieve(missing, { ...options, k: this.#depth }),
    );
    return hits.map((list) => list.slice(0, options.k));
  }
}

/** Has each passage read once for each question. */
export class AnswersOnce implements Generator {
  readonly name: string;
  readonly #generator: Generator;
  readonly #kept = new Kept<GeneratedAnswer[]>();

  constructor(generator: Generator) {
    this.name = generator.name;
    this.#generator = generator;
  }

  async generate(
    question: string,
    passages: readonly Passage[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<GeneratedAnswer[][]> {
    const byKey = new Map(passages.map((passage) => [JSON.stringify([question, passage.id]), passage]));
    return this.#kept.all([...byKey.keys()], (missing) =>
      this.#generator.generate(
        question,
        missing.map((key) => byKey.get(key)!),
        options,
      ),
    );
  }
}

/** An encoder that encodes each query once. */
export function queriesOnce(encoder: FittedTextEncoder): FittedTextEncoder {
  const kept = new Kept<Float32Array>();
  const { name, version, dimension } = encoder;
  return {
    name,
    version,
    dimension,
    fit: (passages) => encoder.fit(passages),
    state: () => encoder.state(),
    restore: (state) => encoder.restore(state),
    encodePassages: (texts, options) => encoder.encodePassages(texts, options),
    async encodeQueries(texts, options) {
      const vectors = await kept.all(texts, async (missing) => {
        const encoded = await encoder.encodeQueries(missing, options);
        return missing.map((_, i) => encoded.vectors.data.slice(i * dimension, (i + 1) * dimension));
      });
      const data = new Float32Array(texts.length * dimension);
      for (const [i, vector] of vectors.entries()) data.set(vector, i * dimension);
      return { vectors: matrix(data, dimension) };
    },
  };
}

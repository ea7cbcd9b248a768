import { GranuleError } from '../errors.js';

/** Most entries of a `Map`. */
const MOST_TERMS = 2 ** 24;

/**
 * The terms of a collection and their numbers, 0, 1, 2, ... in the order in which they were first added. A term keeps its number.
 *
 * @example
 * ```ts
 * const vocabulary = new Vocabulary(['wing']);
 * vocabulary.add('flow'); // 1
 * vocabulary.idOf('wing'); // 0
 * ```
 */
export class Vocabulary implements Iterable<string> {
  readonly #terms: string[] = [];
  readonly #ids = new Map<string, number>();

  /**
   * @param terms - term i gets the number i
   * @throws GranuleError `INVALID_ARGUMENT` for a term that comes twice
   */
  constructor(terms: Iterable<string> = []) {
    for (const term of terms) {
      const { size } = this;
      this.add(term);
      if (this.size > size) continue;
      throw new GranuleError('INVALID_ARGUMENT', `the term '${term}' comes twice`, { term });
    }
  }

  /** Number of terms. */
  get size(): number {
    return this.#terms.length;
  }

  /** The term's number; it is the next one for a term that is new. */
  add(term: string): number {
    const known = this.#ids.get(term);
    if (known !== undefined) return known;
    const id = this.#terms.length;
    if (id === MOST_TERMS)
      throw new GranuleError('INDEX_FULL', `a vocabulary holds at most ${MOST_TERMS} terms`);
    this.#terms.push(term);
    this.#ids.set(term, id);
    return id;
  }

  /** The term's number; undefined for one that was never added. */
  idOf(term: string): number | undefined {
    return this.#ids.get(term);
  }

  /** The term of a number; undefined beyond the last one. */
  termOf(id: number): string | undefined {
    return this.#terms[id];
  }

  /** The terms in the order of their numbers. */
  [Symbol.iterator](): Iterator<string> {
    return this.#terms[Symbol.iterator]();
  }

  /**
   * Takes the newest terms back, where what they were added for failed.
   *
   * @internal
   */
  truncate(size: number): void {
    for (const term of this.#terms.splice(size)) this.#ids.delete(term);
  }
}

import type { SparseMatrix } from '../index/sparse-matrix.js';

/**
 * Collects sparse rows one by one.
 *
 * @internal
 */
export class SparseRows {
  readonly #lengths: number[] = [];
  #terms = new Uint32Array(64);
  #values = new Float32Array(64);
  #entries = 0;

  /** Rows so far. */
  get rows(): number {
    return this.#lengths.length;
  }

  /** Appends a row from its terms and their values, in any order; terms are distinct. */
  add(row: ReadonlyMap<number, number>): void {
    this.#reserve(this.#entries + row.size);
    const terms = this.#terms.subarray(this.#entries, this.#entries + row.size);
    let place = 0;
    for (const term of row.keys()) terms[place++] = term;
    terms.sort();
    for (const term of terms) this.#values[this.#entries++] = row.get(term)!;
    this.#lengths.push(row.size);
  }

  /** The rows; what was collected is not copied, so nothing may be added afterwards. */
  matrix(): SparseMatrix {
    return {
      lengths: Uint32Array.from(this.#lengths),
      terms: this.#terms.subarray(0, this.#entries),
      values: this.#values.subarray(0, this.#entries),
    };
  }

  #reserve(entries: number): void {
    if (entries <= this.#terms.length) return;
    const room = Math.max(entries, 2 * this.#terms.length);
    const [terms, values] = [this.#terms, this.#values];
    this.#terms = new Uint32Array(room);
    this.#values = new Float32Array(room);
    this.#terms.set(terms);
    this.#values.set(values);
  }
}

/**
 * Passages and queries as rows of words, each a number, the place of the word by frequency: 0 is the most frequent. Places
 * after the last word of a row hold -1.
 */

/** Places of a row. */
export const ROW_PLACES = 64;
/** Different words. */
export const WORDS = 2 ** 18;

/** A passage has so many words at least, and at most ROW_PLACES: 50 on average. */
const LEAST_WORDS = 36;
const LEAST_QUERY_WORDS = 2;
const MOST_QUERY_WORDS = 6;
/** Queries have none of the words that come in more than a sixth of the passages, as after stop words were taken out. */
const FREQUENT_WORDS = 20;

/** The rows of one sequence, from any row on. */
export class SeededWords {
  #seed;
  #place;
  #queries;

  /**
   * @param place of the first row in the sequence
   * @param queries whether rows are queries
   */
  constructor(seed, place, queries) {
    this.#seed = seed;
    this.#place = place;
    this.#queries = queries;
  }

  /** Fills whole rows, and goes on after them with the next call. */
  fill(values) {
    const [least, most] = this.#queries ? [LEAST_QUERY_WORDS, MOST_QUERY_WORDS] : [LEAST_WORDS, ROW_PLACES];
    const first = this.#queries ? FREQUENT_WORDS : 0;
    for (let start = 0; start < values.length; start += ROW_PLACES) {
      const row = this.#place++;
      const count = least + Math.floor(this.#uniform(row, ROW_PLACES) * (most - least + 1));
      for (let place = 0; place < ROW_PLACES; place++) {
        values[start + place] = place < count ? zipf(this.#uniform(row, place), first) : -1;
      }
    }
  }

  /** 0 to below 1, by row and place alone. */
  #uniform(row, place) {
    return mixed(mixed(row * (ROW_PLACES + 1) + place) ^ this.#seed) / 2 ** 32;
  }
}

/** The text of a row. */
export function textOf(row) {
  const end = row.indexOf(-1);
  return Array.from(end === -1 ? row : row.subarray(0, end), wordOf).join(' ');
}

/** Letters and digits: one token for every tokenizer. */
export function wordOf(word) {
  return `w${word.toString(36)}`;
}

/** The word w, from `first` on, has a share near 1 / (w + 1): the inverse of that distribution's sum, ln(w + 1). */
function zipf(uniform, first) {
  const low = Math.log(first + 1);
  return Math.min(WORDS - 1, Math.floor(Math.exp(low + uniform * (Math.log(WORDS) - low))) - 1);
}

/** A bijection of 32 bits in which every bit depends on all: multiplications by odd numbers between shifts. */
function mixed(value) {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}

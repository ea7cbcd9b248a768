/** A seeded stream of 32-bit integers (a Weyl sequence through an integer mixer): the same on every machine. */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  }

  /** An integer from 0 to `below` - 1. */
  integer(below: number): number {
    return this.next() % below;
  }

  /** One of `choices`. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(choices.length)]!;
  }

  /** `length` values of a roughly normal distribution of variance 1, as float32. */
  normal(length: number): Float32Array {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let j = 0; j < 4; j++) sum += this.next() / 2 ** 32 - 0.5;
      values[i] = sum * Math.sqrt(3);
    }
    return values;
  }

  /** `length` values of -1, 0 and 1: scores of such vectors tie often. */
  ternary(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.integer(3) - 1);
  }

  /** `length` values taken from `choices`. */
  from(choices: readonly number[], length: number): Float32Array {
    return Float32Array.from({ length }, () => this.pick(choices));
  }
}

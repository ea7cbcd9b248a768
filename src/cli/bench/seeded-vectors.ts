/** Steps of the generator's counter: its own increment, and the distance of two seeds. */
const INCREMENT = 0x9e3779b9;
const SEED_DISTANCE = 0x9e3779b1;

/**
 * Unit vectors in directions that are about uniform, the same bits on every machine.
 *
 * Every component is a sum of four bytes of an integer generator (splitmix32), centred; then the vector is divided by its
 * norm, which is taken in float64. Vectors come in a fixed sequence: it does not matter in how many calls they are made,
 * nor by how many generators that begin at different places of it.
 */
export class SeededVectors {
  readonly #dimension: number;
  #state: number;

  /**
   * @param seed - any integer of 32 bits
   * @param firstVector - place in the sequence of the vector that comes first
   */
  constructor(dimension: number, seed: number, firstVector = 0) {
    this.#dimension = dimension;
    this.#state = (Math.imul(seed, SEED_DISTANCE) + Math.imul(firstVector * dimension, INCREMENT)) | 0;
  }

  /** Fills `target`, whole rows of it, with the next vectors. */
  fill(target: Float32Array): void {
    const dimension = this.#dimension;
    let state = this.#state;
    for (let start = 0; start < target.length; start += dimension) {
      let squares = 0;
      for (let i = start; i < start + dimension; i++) {
        state = (state + INCREMENT) | 0;
        let word = state;
        word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
        word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
        word ^= word >>> 15;
        const value = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510;
        target[i] = value;
        squares += value * value;
      }
      // A vector of zeros has no direction: it becomes the first axis.
      if (squares === 0) squares = target[start] = 1;
      const norm = Math.sqrt(squares);
      for (let i = start; i < start + dimension; i++) target[i] = target[i]! / norm;
    }
    this.#state = state;
  }
}

/** Encoders that a thread can make, and that behave as they are told. */

import { resourceLimits } from 'node:worker_threads';

let released = 0;
let running = 0;

/** A text says what to do; the vector is its length and the most calls that ran at once. */
export class FixtureTextEncoder {
  name = 'fixture';
  version = '1';
  dimension = 2;
  #most = 0;

  encodeQueries(texts, options) {
    return this.encodePassages(texts, options);
  }

  async encodePassages(texts, { signal }) {
    running += 1;
    this.#most = Math.max(this.#most, running);
    try {
      const data = new Float32Array(texts.length * 2);
      for (const [i, text] of texts.entries()) {
        if (text === 'exit') process.exit(7);
        if (text === 'crash') setImmediate(() => Promise.reject(new Error('crashed')));
        if (text === 'type error') throw new TypeError('no such thing');
        if (text === 'wait' || text === 'crash')
          await new Promise((resume) => signal.addEventListener('abort', resume));
        if (text === 'turn') await new Promise((resume) => setTimeout(resume, 5));
        if (text === 'limits') this.#most = resourceLimits.maxYoungGenerationSizeMb;
        if (text === 'long') for (const end = Date.now() + 100; Date.now() < end; );
        data.set([text.length, this.#most], i * 2);
      }
      return { vectors: { data, rows: texts.length, columns: 2 } };
    } finally {
      running -= 1;
    }
  }
}

/** Learns the number of passages, and gives it as every vector's second number. */
export class FixtureFittedEncoder extends FixtureTextEncoder {
  #learned;

  fit(passages) {
    this.#learned = [...passages].length;
  }

  state() {
    return Uint8Array.of(this.#learned);
  }

  restore(state) {
    this.#learned = state[0];
  }

  learner() {
    let count = 0;
    return {
      learn: (passages) => {
        if (passages.includes('exit')) process.exit(7);
        count += passages.length;
      },
      part: () => Uint8Array.of(count),
    };
  }

  fitParts(parts) {
    this.#learned = parts.reduce((sum, [count]) => sum + count, 0);
  }

  async encodePassages(texts, options) {
    const { vectors } = await super.encodePassages(texts, options);
    for (let i = 0; i < texts.length; i++) vectors.data[i * 2 + 1] = this.#learned;
    return { vectors };
  }
}

/**
 * An image's vector is its bytes' sum and the queries that were released in its thread. A picture that begins with 255 takes its time,
 * and no notice of an abort.
 */
export class FixtureImageEncoder {
  name = 'fixture';
  version = '1';
  dimension = 2;
  patchDimension = 1;

  async encodeImages(images) {
    const data = Float32Array.from(
      images.flatMap((image) => [image.reduce((sum, byte) => sum + byte, 0), released]),
    );
    return { vectors: { data, rows: images.length, columns: 2 } };
  }

  async encodeQuery(image) {
    if (image[0] === 255) await new Promise((resume) => setTimeout(resume, 50));
    const views = { data: Float32Array.from(image), rows: image.length, columns: 1 };
    return {
      views,
      viewQuads: new Float32Array(image.length * 8),
      patchesOf: async (chosen) => ({
        patches: {
          data: Float32Array.from(chosen, (view) => views.data[view]),
          lengths: new Uint32Array(chosen.length).fill(1),
          columns: 1,
        },
        patchQuads: new Float32Array(chosen.length * 8),
      }),
      release: () => {
        released += 1;
      },
    };
  }
}

export const notAClass = 1;

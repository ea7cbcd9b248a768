import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { FittedTextEncoder, ImageEncoder, ImageInput } from '../../../src/encoders/encoder.js';
import { GranuleError } from '../../../src/errors.js';
import { matrix } from '../../../src/vectors/matrix.js';

/** Learns how many passages there are and encodes a text as four numbers. */
export class FakeTextEncoder implements FittedTextEncoder {
  readonly name: string = 'fake-text';
  readonly version: string = '1';
  readonly dimension: number = 4;
  fitted: number | undefined;

  fit(passages: Iterable<string>): void {
    this.fitted = [...passages].length;
  }

  state(): Uint8Array {
    return Uint8Array.of(this.fitted!);
  }

  restore(state: Uint8Array): void {
    this.fitted = state[0];
  }

  async encodePassages(texts: readonly string[]) {
    if (this.fitted === undefined) throw new Error('encoded before it was fitted');
    const fitted = this.fitted;
    return {
      vectors: matrix(
        Float32Array.from(texts.flatMap((text) => [text.length, text.charCodeAt(0), fitted, 0.5])),
        this.dimension,
      ),
    };
  }

  encodeQueries(texts: readonly string[]) {
    return this.encodePassages(texts);
  }
}

/** Encodes an image as its mean colour, with two patches; refuses images of 13 pixels' width. */
export class FakeImageEncoder implements ImageEncoder {
  readonly name = 'fake-image';
  readonly version = '1';
  readonly dimension = 3;
  readonly patchDimension = 2;

  async encodeImages(images: readonly ImageInput[]) {
    const vectors: number[] = [];
    for (const image of images) {
      const bytes = typeof image === 'string' ? await readFile(image) : image;
      const { width } = await sharp(bytes).metadata();
      if (width === 13) throw new GranuleError('IMAGE_UNREADABLE', 'thirteen pixels are unlucky');
      const { channels } = await sharp(bytes).removeAlpha().toColourspace('srgb').stats();
      vectors.push(...channels.slice(0, 3).map(({ mean }) => mean));
    }
    return {
      vectors: matrix(Float32Array.from(vectors), 3),
      patches: {
        data: Float32Array.from(images.flatMap((_, i) => [i, 1, i, 2])),
        lengths: Uint32Array.from(images.map(() => 2)),
        columns: 2,
      },
      patchQuads: new Float32Array(images.length * 16).fill(0.25),
    };
  }

  async encodeQuery(): Promise<never> {
    throw new Error('not used');
  }
}

export function fakeEncoders() {
  return { textEncoder: new FakeTextEncoder(), imageEncoder: new FakeImageEncoder() };
}

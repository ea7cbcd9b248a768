import type { ImageEncoder, TextEncoder } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import type { WriteAccess } from '../storage/write-access.js';
import { encodeImages, encodeTexts } from './checked-encoding.js';
import { checkAborted } from './line-batches.js';

/** Records that are read and encoded at once. */
const PER_BATCH = { text: 256, image: 32 } as const;

/** Those without a row, or all. */
export type Which = 'pending' | 'all';

const CONDITIONS = { pending: 'row IS NULL', all: 'true' } as const;

/** A record that is to be encoded. */
export interface StoredText {
  readonly key: number;
  readonly text: string;
}

/** A record that is to be encoded. */
export interface StoredImage {
  readonly key: number;
  readonly name: string;
}

/** An image that was left without a vector, since the encoder refuses it. */
export interface UnencodedImage {
  readonly key: number;
  readonly file: string;
  readonly error: GranuleError;
}

/** Encodes the texts of passages in the order of their numbers, batch by batch. */
export async function* encodedTexts(
  access: WriteAccess,
  encoder: TextEncoder,
  which: Which,
  signal: AbortSignal | undefined,
) {
  for (let last = 0; ; ) {
    checkAborted(signal);
    const batch = await access.connection.all<StoredText>(
      `SELECT passage AS key, text FROM passages WHERE ${CONDITIONS[which]} AND passage > ? ORDER BY passage LIMIT ${PER_BATCH.text}`,
      [last],
    );
    if (batch.length === 0) return;
    last = batch.at(-1)!.key;
    const texts = batch.map(({ text }) => text);
    yield { batch, vectors: await encodeTexts(encoder, texts, signal) };
  }
}

/**
 * Encodes images in the order of their numbers, batch by batch.
 *
 * @param refused - receives those that the encoder refuses; the others go on
 */
export async function* encodedImages(
  access: WriteAccess,
  encoder: ImageEncoder,
  which: Which,
  refused: UnencodedImage[],
  signal: AbortSignal | undefined,
) {
  const encode = (images: readonly StoredImage[]) => {
    const files = images.map(({ name }) => access.files.image(name));
    return encodeImages(encoder, files, signal);
  };
  for (let last = 0; ; ) {
    checkAborted(signal);
    const batch = await access.connection.all<StoredImage>(
      `SELECT image AS key, file || '.' || extension AS name FROM images
        WHERE ${CONDITIONS[which]} AND image > ? ORDER BY image LIMIT ${PER_BATCH.image}`,
      [last],
    );
    if (batch.length === 0) return;
    last = batch.at(-1)!.key;
    try {
      yield { batch, found: await encode(batch) };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      for (const image of batch) {
        const found = await encode([image]).catch((refusal: unknown) => {
          if (!isUnreadable(refusal)) throw refusal;
          refused.push({ key: image.key, file: access.files.image(image.name), error: refusal });
        });
        if (found !== undefined) yield { batch: [image], found };
      }
    }
  }
}

function isUnreadable(error: unknown): error is GranuleError {
  return error instanceof GranuleError && error.code === 'IMAGE_UNREADABLE';
}

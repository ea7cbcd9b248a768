import type { ImageEncoder, TextEncoder } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import type { WriteAccess } from '../storage/write-access.js';
import { encodeImages, encodeTexts } from './checked-encoding.js';
import { checkAborted } from './line-batches.js';
import { REFUSED_FILES, type RefusedImage } from './refused-images.js';

/** Records that are read and encoded at once. */
const PER_BATCH = { text: 256, image: 32 } as const;

/** Those that wait for a row, or all. */
export type Which = 'pending' | 'all';

const PENDING = {
  passages: 'row IS NULL',
  images: `row IS NULL AND file NOT IN (${REFUSED_FILES})`,
} as const;

/** A record that is to be encoded. */
export interface StoredText {
  readonly key: number;
  readonly text: string;
}

/** A record that is to be encoded. */
export interface StoredImage {
  readonly key: number;
  readonly sha256: string;
  readonly name: string;
}

/** An image that was left without a vector, since the encoder refuses it. */
export interface UnencodedImage extends RefusedImage {
  readonly key: number;
  readonly file: string;
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
      `SELECT passage AS key, text FROM passages WHERE ${condition('passages', which)} AND passage > ? ORDER BY passage LIMIT ${PER_BATCH.text}`,
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
      `SELECT image AS key, file AS sha256, file || '.' || extension AS name FROM images
        WHERE ${condition('images', which)} AND image > ? ORDER BY image LIMIT ${PER_BATCH.image}`,
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
          const { key, sha256, name } = image;
          refused.push({ key, sha256, file: access.files.image(name), error: refusal });
        });
        if (found !== undefined) yield { batch: [image], found };
      }
    }
  }
}

/** How many records wait for a row; images that the encoder refuses do not. */
export async function pendingCount(
  { connection }: WriteAccess,
  table: 'passages' | 'images',
): Promise<number> {
  const [found] = await connection.all<{ n: number }>(
    `SELECT count(*) AS n FROM ${table} WHERE ${PENDING[table]}`,
  );
  return found!.n;
}

function condition(table: 'passages' | 'images', which: Which): string {
  return which === 'all' ? 'true' : PENDING[table];
}

function isUnreadable(error: unknown): error is GranuleError {
  return error instanceof GranuleError && error.code === 'IMAGE_UNREADABLE';
}

import { GranuleError } from '../../errors.js';
import type { CorpusEncoders } from '../encoder-records.js';
import { imageName, writeImages } from '../storage/image-files.js';
import type { WriteAccess } from '../storage/write-access.js';
import { type EncodedImages, encodeImages, encodeTexts } from './checked-encoding.js';
import { checkAborted, type LineBatch } from './line-batches.js';
import type { PreparedLine, RefusedLine } from './prepared-line.js';
import { knownRefusals } from './refused-images.js';

/** A line with the vectors of its passages and images; without them where an encoder must be fitted first. */
export interface EncodedLine extends PreparedLine {
  readonly passageVectors: Float32Array | undefined;
  readonly imageVectors: EncodedImages | undefined;
}

/** Lines that are ready to be written. */
export interface EncodedBatch {
  readonly lines: readonly EncodedLine[];
  /** Lines whose entity is stored exactly so. */
  readonly unchanged: readonly PreparedLine[];
  readonly refused: readonly RefusedLine[];
  readonly done: number;
  readonly fraction: number | undefined;
}

/** Which encoders can encode now. */
export interface ReadyEncoders {
  readonly text: boolean;
  readonly image: boolean;
}

/** Stores the images of batches and encodes what is new in them. */
export async function* encodeBatches(
  access: WriteAccess,
  batches: AsyncIterable<LineBatch>,
  encoders: CorpusEncoders,
  ready: ReadyEncoders,
  signal: AbortSignal | undefined,
): AsyncGenerator<EncodedBatch> {
  for await (const batch of batches) {
    checkAborted(signal);
    yield await encodeBatch(access, batch, encoders, ready, signal);
  }
}

async function encodeBatch(
  access: WriteAccess,
  batch: LineBatch,
  { textEncoder, imageEncoder }: CorpusEncoders,
  ready: ReadyEncoders,
  signal: AbortSignal | undefined,
): Promise<EncodedBatch> {
  const stored = await storedHashes(access, batch.lines);
  const unchanged = batch.lines.filter(({ id, hash }) => stored.get(id) === hash);
  const { changed, refused } = await withoutRefused(
    access,
    batch.lines.filter(({ id, hash }) => stored.get(id) !== hash),
  );
  await writeImages(
    access,
    changed.flatMap(({ images }) => images),
  );
  const fileOf = (image: PreparedLine['images'][number]) => access.files.image(imageName(image));
  const encode = (lines: readonly PreparedLine[]) =>
    encodeImages(
      imageEncoder,
      lines.flatMap(({ images }) => images.map(fileOf)),
      signal,
    );

  let taken = changed;
  let imageVectors: (EncodedImages | undefined)[] = changed.map(() => undefined);
  if (ready.image) {
    try {
      imageVectors = cut(await encode(changed), changed, imageEncoder.dimension, imageEncoder.patchDimension);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      taken = [];
      imageVectors = [];
      for (const line of changed) {
        try {
          imageVectors.push(await encode([line]));
          taken.push(line);
        } catch (refusal) {
          if (!isUnreadable(refusal)) throw refusal;
          refused.push({ line: line.line, id: line.id, error: refusal });
        }
      }
    }
  }

  let passageVectors: Float32Array | undefined;
  if (ready.text) {
    const texts = taken.flatMap(({ passages }) => passages.map(({ text }) => text));
    passageVectors = await encodeTexts(textEncoder, texts, signal);
  }
  let at = 0;
  const lines = taken.map((line, i): EncodedLine => {
    const from = at;
    at += line.passages.length * textEncoder.dimension;
    return { ...line, passageVectors: passageVectors?.subarray(from, at), imageVectors: imageVectors[i] };
  });
  const { done, fraction } = batch;
  return { lines, unchanged, refused: [...batch.refused, ...refused], done, fraction };
}

/** Takes out the lines with an image that the encoder is known to refuse. */
async function withoutRefused(
  { connection }: WriteAccess,
  lines: readonly PreparedLine[],
): Promise<{ changed: PreparedLine[]; refused: RefusedLine[] }> {
  const images = lines.flatMap((line) => line.images.map(({ sha256 }) => sha256));
  const known = await knownRefusals(connection, images);
  const changed: PreparedLine[] = [];
  const refused: RefusedLine[] = [];
  for (const line of lines) {
    const image = line.images.find(({ sha256 }) => known.has(sha256));
    if (image === undefined) changed.push(line);
    else {
      const error = new GranuleError('IMAGE_UNREADABLE', known.get(image.sha256)!);
      refused.push({ line: line.line, id: line.id, error });
    }
  }
  return { changed, refused };
}

async function storedHashes(
  { connection }: WriteAccess,
  lines: readonly PreparedLine[],
): Promise<ReadonlyMap<string, string>> {
  const found = await connection.all<{ id: string; hash: string }>(
    'SELECT e.id, e.hash FROM json_each(?) AS j CROSS JOIN entities AS e ON e.id = j.value',
    [JSON.stringify(lines.map(({ id }) => id))],
  );
  return new Map(found.map(({ id, hash }) => [id, hash]));
}

/** What was encoded for all lines together, line by line. */
function cut(
  all: EncodedImages,
  lines: readonly PreparedLine[],
  dimension: number,
  patchDimension: number,
): EncodedImages[] {
  let image = 0;
  let patch = 0;
  return lines.map(({ images }) => {
    const first = image;
    image += images.length;
    const vectors = all.vectors.subarray(first * dimension, image * dimension);
    const boxes = all.boxes.slice(first, image);
    if (all.patches === undefined) return { vectors, patches: undefined, boxes };
    const lengths = all.patches.lengths.subarray(first, image);
    const firstPatch = patch;
    patch += lengths.reduce((sum, length) => sum + length, 0);
    const own = all.patches.vectors.subarray(firstPatch * patchDimension, patch * patchDimension);
    return { vectors, patches: { vectors: own, lengths }, boxes };
  });
}

function isUnreadable(error: unknown): error is GranuleError {
  return error instanceof GranuleError && error.code === 'IMAGE_UNREADABLE';
}

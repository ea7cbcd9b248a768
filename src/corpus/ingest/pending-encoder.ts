import type { DivisibleTextEncoder, ImageEncoder, ImageInput, TextEncoder } from '../../encoders/encoder.js';
import { FittedThreadedTextEncoder } from '../../encoders/threads/threaded-text-encoder.js';
import type { CorpusEncoders, EncoderRole } from '../encoder-records.js';
import { writeEncoderRecord } from '../encoder-records.js';
import { type FittedEncoder, isFittedEncoder } from '../fitted-encoder.js';
import type { IngestOptions } from '../ingest-report.js';
import type { WriteAccess } from '../storage/write-access.js';
import { ahead } from './ahead.js';
import type { EncodedImages } from './checked-encoding.js';
import { recordRefusals } from './refused-images.js';
import { StageProgress } from './stage-progress.js';
import {
  encodedImages,
  encodedTexts,
  pendingCount,
  type StoredImage,
  type StoredText,
  type UnencodedImage,
} from './stored-encoder.js';

const PER_READ_FOR_FIT = 256;

/**
 * Fits an encoder that has to learn, from all that is stored, and records what it learned.
 *
 * @returns whether it can encode now: not so where there is nothing to learn from
 */
export async function fitEncoder(
  access: WriteAccess,
  role: EncoderRole,
  encoder: TextEncoder | ImageEncoder,
): Promise<boolean> {
  if (!isFittedEncoder<string | ImageInput>(encoder)) return true;
  if (!(await learnFromAll(access, role, encoder))) return false;
  const state = encoder.state();
  await access.transaction(async (transaction) => {
    transaction.state.encoding += 1;
    transaction.add(writeEncoderRecord(role, encoder, state));
  });
  return true;
}

/**
 * Lets an encoder learn from all passages or images, which are not held in memory at once where the encoder can do without.
 *
 * @returns false where there are none, and the encoder is as it was
 */
export async function learnFromAll(
  access: WriteAccess,
  role: EncoderRole,
  encoder: FittedEncoder<string | ImageInput>,
): Promise<boolean> {
  if (!(await hasAny(access, role))) return false;
  if (role === 'image') await encoder.fit(await allImages(access));
  else if (encoder instanceof FittedThreadedTextEncoder) await encoder.fit(each(allTexts(access)));
  else if (isDivisible(encoder)) {
    const learner = encoder.learner();
    for await (const texts of allTexts(access)) learner.learn(texts);
    encoder.fitParts([learner.part()]);
  } else {
    const texts: string[] = [];
    for await (const some of allTexts(access)) texts.push(...some);
    await encoder.fit(texts);
  }
  return true;
}

/** Encodes passages and images that are stored without a row, oldest first; what was done stays done after an error. */
export async function encodePending(
  access: WriteAccess,
  { textEncoder, imageEncoder }: CorpusEncoders,
  { signal, onProgress }: IngestOptions,
  afterBatch: () => Promise<void>,
): Promise<UnencodedImage[]> {
  const refused: UnencodedImage[] = [];
  const images = await pendingCount(access, 'images');
  if (images > 0) {
    const progress = new StageProgress('images', onProgress);
    let done = 0;
    for await (const { batch, found } of ahead(
      encodedImages(access, imageEncoder, 'pending', refused, signal),
      1,
    )) {
      await writeImageRows(access, batch, found);
      await afterBatch();
      done += batch.length;
      progress.report(done, Math.min(1, done / images));
    }
    await recordRefusals(access, refused);
  }
  const passages = await pendingCount(access, 'passages');
  if (passages > 0) {
    const progress = new StageProgress('passages', onProgress);
    let done = 0;
    for await (const { batch, vectors } of ahead(encodedTexts(access, textEncoder, 'pending', signal), 1)) {
      await writePassageRows(access, batch, vectors);
      await afterBatch();
      done += batch.length;
      progress.report(done, Math.min(1, done / passages));
    }
  }
  return refused;
}

function writePassageRows(
  access: WriteAccess,
  batch: readonly StoredText[],
  vectors: Float32Array,
): Promise<void> {
  return access.transaction(async (transaction) => {
    const { state } = transaction;
    const row = state.passageRows;
    state.passageRows += batch.length;
    const parameters = batch.map(({ key }, i) => [row + i, key]);
    transaction.add({ kind: 'many', sql: 'UPDATE passages SET row = ? WHERE passage = ?', parameters });
    transaction.addRows({ space: 'passages', row, rows: batch.length, vectors });
  });
}

function writeImageRows(
  access: WriteAccess,
  batch: readonly StoredImage[],
  { vectors, patches, boxes }: EncodedImages,
): Promise<void> {
  return access.transaction(async (transaction) => {
    const { state } = transaction;
    const row = state.imageRows;
    const rows = batch.length;
    state.imageRows += rows;
    const parameters = batch.map(({ key }, i) => [row + i, boxes[i]!, key]);
    transaction.add({
      kind: 'many',
      sql: 'UPDATE images SET row = ?, boxes = ? WHERE image = ?',
      parameters,
    });
    transaction.addRows({ space: 'images', row, rows, vectors });
    if (patches !== undefined) transaction.addRows({ space: 'patches', row, rows, ...patches });
  });
}

async function hasAny({ connection }: WriteAccess, role: EncoderRole): Promise<boolean> {
  const table = role === 'text' ? 'passages' : 'images';
  return (await connection.all(`SELECT 1 AS there FROM ${table} LIMIT 1`)).length > 0;
}

function isDivisible(encoder: object): encoder is DivisibleTextEncoder {
  return 'learner' in encoder && 'fitParts' in encoder;
}

async function* each<T>(lists: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const list of lists) yield* list;
}

async function* allTexts({ connection }: WriteAccess): AsyncGenerator<string[]> {
  for (let last = 0; ; ) {
    const found = await connection.all<StoredText>(
      `SELECT passage AS key, text FROM passages WHERE passage > ? ORDER BY passage LIMIT ${PER_READ_FOR_FIT}`,
      [last],
    );
    if (found.length === 0) return;
    last = found.at(-1)!.key;
    yield found.map(({ text }) => text);
  }
}

async function allImages({ connection, files }: WriteAccess): Promise<string[]> {
  const found = await connection.all<{ name: string }>(
    `SELECT file || '.' || extension AS name FROM images ORDER BY image`,
  );
  return found.map(({ name }) => files.image(name));
}

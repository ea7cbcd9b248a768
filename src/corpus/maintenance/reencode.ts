import type { ImageEncoder, TextEncoder } from '../../encoders/encoder.js';
import type { SqlValue } from '../database/database-thread.js';
import {
  type CorpusEncoders,
  dimensionsOf,
  patchDimensionOf,
  writeEncoderRecord,
} from '../encoder-records.js';
import { isFittedEncoder } from '../fitted-encoder.js';
import { ahead } from '../ingest/ahead.js';
import { learnFromAll } from '../ingest/pending-encoder.js';
import { refusalSteps } from '../ingest/refused-images.js';
import { StageProgress } from '../ingest/stage-progress.js';
import { encodedImages, encodedTexts, type UnencodedImage } from '../ingest/stored-encoder.js';
import type { IngestOptions } from '../ingest-report.js';
import type { IndexShelf } from '../storage/index-shelf.js';
import { removeOtherGenerations } from '../storage/recovery.js';
import type { WriteAccess } from '../storage/write-access.js';
import { NewGeneration } from './new-generation.js';

/** What `reencode` did. */
export interface ReencodeReport {
  /** Passages and images that were encoded. */
  readonly passages: number;
  readonly images: number;
  /** Files of images that the encoder refuses, with its reasons; they stay, and cannot be found. */
  readonly unencoded: readonly { readonly file: string; readonly message: string }[];
}

/** Encodes all records into a new generation of indexes, in the order of their numbers, and gives them new rows. */
export async function reencodeCorpus(
  access: WriteAccess,
  shelf: IndexShelf,
  encoders: CorpusEncoders,
  { signal, onProgress }: IngestOptions,
): Promise<ReencodeReport> {
  const { textEncoder, imageEncoder } = encoders;
  const state = await access.state();
  const textState = await learned(access, 'text', textEncoder);
  const imageState = await learned(access, 'image', imageEncoder);
  const dimensions = dimensionsOf(textEncoder, {
    dimension: imageEncoder.dimension,
    patchDimension: patchDimensionOf(imageEncoder),
  });
  const next = await NewGeneration.begin(access.files, state.generation + 1, dimensions);
  const refused: UnencodedImage[] = [];
  try {
    const images = new StageProgress('images', onProgress);
    await stageNoBoxes(access);
    for await (const { batch, found } of ahead(
      encodedImages(access, imageEncoder, 'all', refused, signal),
      1,
    )) {
      await next.addVectors('images', found.vectors, signal);
      if (found.patches) await next.addPatches(found.patches.vectors, found.patches.lengths, signal);
      const staged = batch.flatMap(({ key }, i): SqlValue[][] =>
        found.boxes[i] ? [[key, found.boxes[i]]] : [],
      );
      await access.transaction(async (transaction) => {
        transaction.add({
          kind: 'many',
          sql: 'INSERT OR REPLACE INTO staged_boxes VALUES (?, ?)',
          parameters: staged,
        });
      });
      images.report(next.rows('images'), next.rows('images') / state.images);
    }
    const passages = new StageProgress('passages', onProgress);
    for await (const { vectors } of ahead(encodedTexts(access, textEncoder, 'all', signal), 1)) {
      await next.addVectors('passages', vectors, signal);
      passages.report(next.rows('passages'), next.rows('passages') / state.passages);
    }
    await next.save(signal);
    await access.transaction(async (transaction) => {
      transaction.state.encoding += 1;
      const without = JSON.stringify(refused.map(({ key }) => key));
      transaction.add(
        ...next.takeOver(transaction.state),
        writeEncoderRecord('text', textEncoder, textState),
        writeEncoderRecord('image', imageEncoder, imageState),
        { kind: 'exec', sql: 'UPDATE passages SET row = NULL; UPDATE images SET row = NULL, boxes = NULL' },
        { kind: 'exec', sql: 'DELETE FROM refused_images' },
        ...refusalSteps(transaction.state.encoding, refused),
        { kind: 'run', sql: numberAll('passages', 'passage'), parameters: ['[]'] },
        { kind: 'run', sql: numberAll('images', 'image'), parameters: [without] },
        {
          kind: 'exec',
          sql: `UPDATE images SET boxes = (SELECT boxes FROM staged_boxes AS s WHERE s.image = images.image);
            DELETE FROM staged_boxes`,
        },
      );
    });
    await shelf.clear();
    await removeOtherGenerations(access);
    await access.shrink();
    return {
      passages: next.rows('passages'),
      images: next.rows('images'),
      unencoded: refused.map(({ file, error }) => ({ file, message: error.message })),
    };
  } finally {
    next.dispose();
  }
}

/** Lets an encoder that learns learn from everything; what it learned, or undefined. */
async function learned(
  access: WriteAccess,
  role: 'text' | 'image',
  encoder: TextEncoder | ImageEncoder,
): Promise<Uint8Array | undefined> {
  if (!isFittedEncoder(encoder)) return undefined;
  return (await learnFromAll(access, role, encoder)) ? encoder.state() : undefined;
}

/** Rows in the order of the records' numbers, but for those that are named. */
function numberAll(table: string, key: string): string {
  return `UPDATE ${table} SET row = numbered.row FROM (
      SELECT ${key} AS record, row_number() OVER (ORDER BY ${key}) - 1 AS row FROM ${table}
        WHERE ${key} NOT IN (SELECT value FROM json_each(?))
    ) AS numbered WHERE ${table}.${key} = numbered.record`;
}

async function stageNoBoxes(access: WriteAccess): Promise<void> {
  await access.transaction(async (transaction) => {
    transaction.add({ kind: 'exec', sql: 'DELETE FROM staged_boxes' });
  });
}

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ImageEmbeddings, ImageEncoder, ImageInput, TextEncoder } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import type { CorpusDatabase, StoredEntity } from './corpus-database.js';
import { isFittedEncoder } from './fitted-encoder.js';
import type { IngestOptions } from './ingest-report.js';
import type { Tensors } from './safetensors.js';

const IMAGES_PER_CALL = 8;
const PASSAGES_PER_CALL = 64;

/**
 * Encodes the images of a corpus, in row order: tensors 'vectors' (images x dimension) and, where the encoder has
 * patches, 'patches' (all patches x patch dimension), 'patch_lengths' (patches per image) and 'patch_quads' (all
 * patches x 8).
 *
 * @param onUnreadable - told of an image that the encoder refuses; the others go on
 */
export async function encodeEntityImages(
  database: CorpusDatabase,
  corpusFolder: string,
  encoder: ImageEncoder,
  { signal, onProgress }: IngestOptions,
  onUnreadable: (entity: StoredEntity, error: GranuleError) => Promise<void>,
): Promise<Tensors> {
  const entities = [...database.entities()].filter(({ image }) => image !== undefined);
  const pathOf = ({ image }: StoredEntity) => join(corpusFolder, image!);
  if (isFittedEncoder<ImageInput>(encoder) && entities.length > 0) await encoder.fit(entities.map(pathOf));

  const vectors: Float32Array[] = [];
  const patches: Float32Array[] = [];
  const quads: Float32Array[] = [];
  const lengths: number[] = [];
  let images = 0;
  const encode = async (batch: readonly StoredEntity[]) => {
    const embeddings = await encoder.encodeImages(batch.map(pathOf), { ...(signal && { signal }) });
    checkImages(embeddings, batch.length, encoder);
    vectors.push(embeddings.vectors.data);
    if (encoder.patchDimension > 0) {
      patches.push(embeddings.patches!.data);
      quads.push(embeddings.patchQuads!);
      lengths.push(...embeddings.patches!.lengths);
    }
    images += batch.length;
  };

  for (let start = 0; start < entities.length; start += IMAGES_PER_CALL) {
    checkAborted(signal);
    const batch = entities.slice(start, start + IMAGES_PER_CALL);
    try {
      await encode(batch);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      for (const entity of batch) {
        await encode([entity]).catch(async (refusal: unknown) => {
          if (!isUnreadable(refusal)) throw refusal;
          await onUnreadable(entity, refusal);
        });
      }
    }
    const done = Math.min(start + IMAGES_PER_CALL, entities.length);
    onProgress?.({ stage: 'images', done, fraction: done / entities.length });
    await setImmediate();
  }

  const tensors: [string, { shape: number[]; data: Float32Array | Uint32Array }][] = [
    ['vectors', { shape: [images, encoder.dimension], data: concatenate(vectors) }],
  ];
  if (encoder.patchDimension > 0) {
    const data = concatenate(patches);
    const total = data.length / encoder.patchDimension;
    tensors.push(
      ['patches', { shape: [total, encoder.patchDimension], data }],
      ['patch_lengths', { shape: [images], data: Uint32Array.from(lengths) }],
      ['patch_quads', { shape: [total, 8], data: concatenate(quads) }],
    );
  }
  return new Map(tensors);
}

/** Fits the text encoder where it learns, and encodes the passages of a corpus in row order: 'vectors'. */
export async function encodePassageTexts(
  database: CorpusDatabase,
  encoder: TextEncoder,
  { signal, onProgress }: IngestOptions,
): Promise<Tensors> {
  const total = database.count('passages');
  if (isFittedEncoder<string>(encoder) && total > 0) await encoder.fit(texts(database));
  const data = new Float32Array(total * encoder.dimension);
  let done = 0;
  let batch: string[] = [];
  const encode = async () => {
    checkAborted(signal);
    const { vectors } = await encoder.encodePassages(batch, { ...(signal && { signal }) });
    if (vectors.columns !== encoder.dimension || vectors.data.length !== batch.length * encoder.dimension) {
      throw wrongShape(encoder.name);
    }
    data.set(vectors.data, done * encoder.dimension);
    done += batch.length;
    batch = [];
    onProgress?.({ stage: 'passages', done, fraction: done / total });
    await setImmediate();
  };
  for (const text of texts(database)) {
    batch.push(text);
    if (batch.length === PASSAGES_PER_CALL) await encode();
  }
  if (batch.length > 0) await encode();
  return new Map([['vectors', { shape: [total, encoder.dimension], data }]]);
}

function* texts(database: CorpusDatabase): Generator<string> {
  for (const { text } of database.passages()) yield text;
}

function checkImages(
  { vectors, patches, patchQuads }: ImageEmbeddings,
  count: number,
  encoder: ImageEncoder,
): void {
  const fits =
    vectors.columns === encoder.dimension &&
    vectors.data.length === count * encoder.dimension &&
    (encoder.patchDimension === 0 ||
      (patches?.columns === encoder.patchDimension &&
        patches.lengths.length === count &&
        patchQuads?.length === (patches.data.length / patches.columns) * 8));
  if (!fits) throw wrongShape(encoder.name);
}

function wrongShape(encoder: string): GranuleError {
  return new GranuleError(
    'LENGTH_MISMATCH',
    `the encoder '${encoder}' returned vectors of another shape than it claims`,
    {
      encoder,
    },
  );
}

function isUnreadable(error: unknown): error is GranuleError {
  return error instanceof GranuleError && error.code === 'IMAGE_UNREADABLE';
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new GranuleError('ABORTED', 'the ingest was aborted', {}, { cause: signal.reason });
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

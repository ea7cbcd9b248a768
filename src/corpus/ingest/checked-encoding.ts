import type { ImageEncoder, TextEncoder } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';

/** Vectors of images as a corpus stores them. */
export interface EncodedImages {
  /** images x dimension. */
  readonly vectors: Float32Array;
  /** Vectors of the patches of each image, and how many each has, where the encoder gives them. */
  readonly patches: { readonly vectors: Float32Array; readonly lengths: Uint32Array } | undefined;
  /** Per image, the places of its patches: 8 float32 each, as bytes; null where it has none. */
  readonly boxes: readonly (Uint8Array | null)[];
}

/**
 * Vectors of passages, passages x dimension.
 *
 * @throws GranuleError `LENGTH_MISMATCH`, `NOT_FINITE` where the encoder breaks its word; what it throws
 */
export async function encodeTexts(
  encoder: TextEncoder,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  if (texts.length === 0) return new Float32Array(0);
  const { vectors } = await encoder.encodePassages(texts, { ...(signal && { signal }) });
  if (vectors.columns !== encoder.dimension || vectors.data.length !== texts.length * encoder.dimension) {
    throw wrongShape(encoder.name);
  }
  requireFinite(vectors.data, encoder.name);
  return vectors.data;
}

/**
 * Vectors of images, with those of their patches.
 *
 * @throws GranuleError as `encodeTexts`; `IMAGE_UNREADABLE` where the encoder refuses one of them
 */
export async function encodeImages(
  encoder: ImageEncoder,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<EncodedImages> {
  if (files.length === 0) return { vectors: new Float32Array(0), patches: undefined, boxes: [] };
  const found = await encoder.encodeImages(files, { ...(signal && { signal }) });
  const { vectors, patches, patchQuads } = found;
  const fits =
    vectors.columns === encoder.dimension &&
    vectors.data.length === files.length * encoder.dimension &&
    (encoder.patchDimension === 0 ||
      (patches?.columns === encoder.patchDimension &&
        patches.lengths.length === files.length &&
        patches.lengths.every((length) => length > 0) &&
        patchQuads?.length === (patches.data.length / patches.columns) * 8));
  if (!fits) throw wrongShape(encoder.name);
  requireFinite(vectors.data, encoder.name);
  if (encoder.patchDimension === 0) {
    return { vectors: vectors.data, patches: undefined, boxes: files.map(() => null) };
  }
  requireFinite(patches!.data, encoder.name);
  const { data, lengths } = patches!;
  return {
    vectors: vectors.data,
    patches: { vectors: data, lengths },
    boxes: cutBoxes(patchQuads!, lengths),
  };
}

/** Arrays one after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (parts.length === 1) return only!;
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function cutBoxes(quads: Float32Array, lengths: Uint32Array): Uint8Array[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    const own = quads.slice(at, at + length * 8);
    at += length * 8;
    return new Uint8Array(own.buffer);
  });
}

/** An index would refuse such vectors only after they were committed. */
function requireFinite(data: Float32Array, encoder: string): void {
  for (const value of data) {
    if (!Number.isFinite(value)) {
      throw new GranuleError('NOT_FINITE', `the encoder '${encoder}' returned a number that is not finite`, {
        encoder,
      });
    }
  }
}

function wrongShape(encoder: string): GranuleError {
  return new GranuleError(
    'LENGTH_MISMATCH',
    `the encoder '${encoder}' returned vectors of another shape than it claims`,
    { encoder },
  );
}

import { readPixelImage } from '../encoders/pixel-image.js';
import { GranuleError } from '../errors.js';
import type { KnownPicture } from './truth-file.js';

/** Enough to have all of a picture read, and hardly anything worked out. */
const PIXELS = 256;
const MOST_NAMED = 5;

/**
 * Decodes every picture once, as the encoder will: what it cannot read is known before any work is done.
 *
 * @throws GranuleError `IMAGE_UNREADABLE` naming the first pictures that cannot be read, and their number; `ABORTED`
 */
export async function requireReadablePictures(
  pictures: readonly KnownPicture[],
  signal?: AbortSignal,
): Promise<void> {
  const files = [...new Set(pictures.map(({ file }) => file))];
  const unreadable: { readonly file: string; readonly message: string }[] = [];
  for (const file of files) {
    if (signal?.aborted) throw new GranuleError('ABORTED', 'the pictures were not looked at to the end');
    try {
      await readPixelImage(file, PIXELS);
    } catch (error) {
      if (!(error instanceof GranuleError)) throw error;
      unreadable.push({ file, message: error.message });
    }
  }
  const [first] = unreadable;
  if (first === undefined) return;
  const named = unreadable.slice(0, MOST_NAMED).map(({ message }) => message);
  const more = unreadable.length > named.length ? `; and ${unreadable.length - named.length} more` : '';
  throw new GranuleError('IMAGE_UNREADABLE', named.join('; ') + more, {
    file: first.file,
    files: unreadable.map(({ file }) => file),
  });
}

import { webcrypto } from 'node:crypto';
import { open } from 'node:fs/promises';
import { loadSharp } from '../encoders/load-sharp.js';
import { GranuleError } from '../errors.js';
import { unreadableFile } from './unreadable-file.js';

/** An image that is known to decode. */
export interface ImageFile {
  readonly bytes: Uint8Array;
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
  /** File name extension that fits what the bytes are: 'png', 'jpeg', 'svg' ... */
  readonly extension: string;
  readonly width: number;
  readonly height: number;
}

const MAX_IMAGE_BYTES = 1 << 28;

/**
 * Reads an image file and decodes it once, so that a damaged image is known before anything is stored.
 *
 * @throws GranuleError `FILE_NOT_FOUND`, or `IMAGE_UNREADABLE` for what is not an image, is cut short, or exceeds 256 MiB
 */
export async function readImageFile(path: string): Promise<ImageFile> {
  const bytes = await readBytes(path);
  const sharp = await loadSharp();
  try {
    const image = sharp(bytes);
    const { format, width, height } = await image.metadata();
    // Decoding to a few pixels reads the whole file; raw output needs no encoder.
    await image.resize(16, 16, { fit: 'fill' }).raw().toBuffer();
    return { bytes, sha256: await sha256(bytes), extension: format, width, height };
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\s+/g, ' ').trim();
    throw new GranuleError(
      'IMAGE_UNREADABLE',
      `${path} is not a readable image: ${reason}`,
      { file: path },
      { cause },
    );
  }
}

/** SHA-256 in hexadecimal, worked out off the JavaScript thread. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(path, 'r').catch(unreadableFile(path));
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > MAX_IMAGE_BYTES) {
      const reason = status.isFile() ? `is larger than ${MAX_IMAGE_BYTES} bytes` : 'is not a file';
      throw new GranuleError('IMAGE_UNREADABLE', `${path} ${reason}`, { file: path });
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

import { loadSharp } from '../encoders/load-sharp.js';
import { GranuleError } from '../errors.js';

/** Image formats that may be uploaded, by their first bytes. SVG is not among them: it is a program, of a kind. */
const SIGNATURES: readonly { readonly offset: number; readonly bytes: string }[] = [
  { offset: 0, bytes: '\xff\xd8\xff' },
  { offset: 0, bytes: '\x89PNG\r\n\x1a\n' },
  { offset: 0, bytes: 'GIF87a' },
  { offset: 0, bytes: 'GIF89a' },
  { offset: 8, bytes: 'WEBP' },
  { offset: 0, bytes: 'II*\0' },
  { offset: 0, bytes: 'MM\0*' },
  { offset: 4, bytes: 'ftypavif' },
];

/**
 * Reads the image of a JSON body.
 *
 * @throws GranuleError `REQUEST_INVALID` where it is not base64
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new GranuleError('REQUEST_INVALID', 'the image is not base64');
  }
  return Buffer.from(text, 'base64');
}

/**
 * Decodes an uploaded image once, within bounds, so that the encoders only meet images that can be decoded. Only bytes that
 * begin as one of the allowed formats reach a decoder.
 *
 * @param pixels - largest width times height
 * @throws GranuleError `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE` for too many pixels, `IMAGE_UNREADABLE`
 */
export async function checkUploadedImage(image: Uint8Array, pixels: number): Promise<void> {
  if (!SIGNATURES.some(({ offset, bytes }) => startsWith(image, offset, bytes))) {
    throw new GranuleError(
      'UNSUPPORTED_MEDIA_TYPE',
      'the image is none of JPEG, PNG, WebP, GIF, TIFF and AVIF',
    );
  }
  const sharp = await loadSharp();
  const options = { limitInputPixels: pixels, failOn: 'error' } as const;
  let size: { width: number; height: number };
  try {
    // The header says the size before anything is unpacked.
    size = await sharp(image, { ...options, limitInputPixels: false }).metadata();
  } catch (cause) {
    throw unreadable(cause);
  }
  if (size.width * size.height > pixels) {
    throw new GranuleError(
      'PAYLOAD_TOO_LARGE',
      `the image has ${size.width} x ${size.height} pixels, more than ${pixels}`,
    );
  }
  try {
    // Decoding to a few pixels reads the whole image; raw output needs no encoder.
    await sharp(image, options).resize(16, 16, { fit: 'fill' }).raw().toBuffer();
  } catch (cause) {
    throw unreadable(cause);
  }
}

function startsWith(image: Uint8Array, offset: number, text: string): boolean {
  const head = image.subarray(offset, offset + text.length);
  return head.length === text.length && head.every((byte, i) => byte === text.charCodeAt(i));
}

function unreadable(cause: unknown): GranuleError {
  const reason = String((cause as Error).message)
    .split('\n', 1)[0]!
    .trim();
  return new GranuleError('IMAGE_UNREADABLE', `the image cannot be read: ${reason}`, {}, { cause });
}

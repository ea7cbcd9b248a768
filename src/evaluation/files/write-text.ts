import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { GranuleError } from '../../errors.js';

/** UTF-16 units that are put together before they go to the file. */
const PIECE = 1 << 16;

/**
 * Writes a text beside the file and puts it in the file's place when it is whole; compressed by gzip where the name ends in `.gz`.
 *
 * @throws GranuleError `FILE_NOT_WRITABLE`, and whatever `parts` throws; what was there before is then still there
 */
export async function writeText(file: string, parts: Iterable<string>): Promise<void> {
  const partial = `${file}.tmp`;
  const source = Readable.from(pieces(parts), { objectMode: true });
  const target = createWriteStream(partial);
  try {
    await (file.endsWith('.gz') ? pipeline(source, createGzip(), target) : pipeline(source, target));
    await rename(partial, file);
  } catch (cause) {
    // A file that is still being opened when the parts fail would appear after its removal.
    if (!target.closed) await new Promise<void>((resolve) => target.once('close', () => resolve()));
    await rm(partial, { force: true });
    if (cause instanceof GranuleError) throw cause;
    throw new GranuleError(
      'FILE_NOT_WRITABLE',
      `cannot write ${file}: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
}

function* pieces(parts: Iterable<string>): Generator<Buffer> {
  let piece = '';
  for (const part of parts) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

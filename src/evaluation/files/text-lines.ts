import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { GranuleError } from '../../errors.js';

/** Some lines of a file, in order. */
export interface LineBatch {
  /** Number of the first, counted from 1. */
  readonly first: number;
  /** Without the newline at their ends. */
  readonly lines: readonly string[];
}

/** Longest line that is read, in bytes. */
const MAX_LINE_BYTES = 1 << 26;
const NEWLINE = 0x0a;
const GZIP = Buffer.from([0x1f, 0x8b]);
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads a text file as a stream, piece by piece: UTF-8 with or without a byte order mark, compressed by gzip or not (its first bytes
 * tell), lines ended by a newline, the last one ended or not.
 *
 * @throws GranuleError `FILE_NOT_FOUND` where it cannot be read; `EVALUATION_FILE_INVALID` where it is not UTF-8, not whole gzip, or a
 *   line is longer than 64 MiB
 */
export async function* readTextLines(file: string): AsyncGenerator<LineBatch> {
  let first = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const take = (end: Buffer): LineBatch => {
    const text = decoded(file, first, Buffer.concat([...pending, end]));
    const lines = (first === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).split('\n');
    const batch = { first, lines };
    first += lines.length;
    pending = [];
    pendingBytes = 0;
    return batch;
  };
  try {
    for await (const bytes of uncompressed(file)) {
      const newline = bytes.lastIndexOf(NEWLINE);
      if (newline !== -1) yield take(bytes.subarray(0, newline));
      const rest = bytes.subarray(newline + 1);
      if (rest.length > 0) pending.push(rest);
      pendingBytes += rest.length;
      if (pendingBytes > MAX_LINE_BYTES) {
        throw invalidLine(file, first, `the line is longer than ${MAX_LINE_BYTES} bytes`);
      }
    }
  } catch (error) {
    throw error instanceof GranuleError ? error : unreadable(file, error as NodeJS.ErrnoException);
  }
  if (pendingBytes > 0) yield take(Buffer.alloc(0));
}

function decoded(file: string, first: number, bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let line = first;
  for (let start = 0; ; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) throw invalidLine(file, line, 'the line is not UTF-8');
    start = end + 1;
  }
}

/** The fields of a line, between blanks, tabs and the other white space of C. */
export function fieldsOf(line: string): string[] {
  const fields = line.split(/[ \t\v\f\r]+/);
  if (fields[0] === '') fields.shift();
  if (fields.at(-1) === '') fields.pop();
  return fields;
}

/** An error about a line of a file. */
export function invalidLine(file: string, line: number, reason: string): GranuleError {
  return new GranuleError('EVALUATION_FILE_INVALID', `${file}:${line}: ${reason}`, { file, line });
}

async function* uncompressed(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r');
  try {
    const magic = Buffer.alloc(GZIP.length);
    await handle.read(magic, 0, magic.length, 0);
    const stream = handle.createReadStream({ start: 0, autoClose: false });
    if (!magic.equals(GZIP)) {
      yield* stream;
      return;
    }
    const gunzip = createGunzip();
    stream.on('error', (error) => gunzip.destroy(error));
    yield* stream.pipe(gunzip);
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, cause: NodeJS.ErrnoException): GranuleError {
  if (cause.code?.startsWith('Z_')) {
    return new GranuleError(
      'EVALUATION_FILE_INVALID',
      `${file}: not whole gzip: ${cause.message}`,
      { file },
      { cause },
    );
  }
  return new GranuleError('FILE_NOT_FOUND', `cannot read ${file}: ${cause.message}`, { file }, { cause });
}

import { open } from 'node:fs/promises';
import { GranuleError } from '../errors.js';
import { unreadableFile } from './unreadable-file.js';

/** A non-empty line of a source: what it holds, or why it holds nothing. */
export type SourceLine = {
  /** Counted from 1; blank lines count. */
  readonly line: number;
  /** Share of the source that has been read, 0 to 1, where it is known. */
  readonly fraction?: number;
} & ({ readonly value: unknown } | { readonly error: GranuleError });

/** Longest line that is read, in bytes; a longer one is refused without being kept in memory. */
export const MAX_LINE_BYTES = 1 << 26;

const READ_BYTES = 1 << 16;
const NEWLINE = 0x0a;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a file of one JSON value per line, as a stream: UTF-8 with or without a byte order mark, lines ended by LF or
 * CRLF, the last one ended or not. A line that is not UTF-8 or not JSON is given as an error; the rest goes on.
 *
 * @throws GranuleError `FILE_NOT_FOUND` where the file cannot be opened or read, as a folder cannot
 */
export async function* readJsonl(path: string): AsyncGenerator<SourceLine> {
  const handle = await open(path, 'r').catch(unreadableFile(path));
  try {
    const { size } = await handle.stat();
    let line = 0;
    let position = 0;
    let pending: Buffer[] = [];
    let pendingBytes = 0;
    const take = (): SourceLine | undefined => {
      line += 1;
      const bytes = pendingBytes > MAX_LINE_BYTES ? undefined : Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
      return parseLine(bytes, line, size > 0 ? Math.min(1, position / size) : undefined);
    };
    const keep = (piece: Buffer) => {
      pendingBytes += piece.length;
      if (pendingBytes > MAX_LINE_BYTES) pending = [];
      else if (piece.length > 0) pending.push(piece);
    };

    for (;;) {
      const { buffer, bytesRead } = await handle
        .read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, null)
        .catch(unreadableFile(path));
      if (bytesRead === 0) break;
      let start = 0;
      for (
        let end = buffer.indexOf(NEWLINE);
        end !== -1 && end < bytesRead;
        end = buffer.indexOf(NEWLINE, start)
      ) {
        keep(buffer.subarray(start, end));
        start = end + 1;
        const parsed = take();
        if (parsed !== undefined) yield parsed;
      }
      position += bytesRead;
      keep(buffer.subarray(start, bytesRead));
    }
    const parsed = take();
    if (parsed !== undefined) yield parsed;
  } finally {
    await handle.close();
  }
}

/** @param bytes - undefined where the line was too long to keep */
function parseLine(
  bytes: Buffer | undefined,
  line: number,
  fraction: number | undefined,
): SourceLine | undefined {
  const place = { line, ...(fraction !== undefined && { fraction }) };
  const refuse = (message: string) => ({
    ...place,
    error: new GranuleError('CORPUS_LINE_INVALID', message, { line }),
  });
  if (bytes === undefined) return refuse(`the line is longer than ${MAX_LINE_BYTES} bytes`);
  const content = line === 1 && bytes.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes;
  let decoded: string;
  try {
    decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return refuse('the line is not valid UTF-8');
  }
  if (decoded.trim() === '') return undefined;
  try {
    return { ...place, value: JSON.parse(decoded) };
  } catch (error) {
    return refuse(`the line is not JSON: ${(error as Error).message}`);
  }
}

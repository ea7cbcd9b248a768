import { setImmediate } from 'node:timers/promises';
import { GranuleError } from '../../errors.js';
import type { SourceLine } from '../jsonl-reader.js';
import { type PreparedLine, prepareLine, type RefusedLine } from './prepared-line.js';

/** Lines that are taken together. */
export interface LineBatch {
  readonly lines: readonly PreparedLine[];
  readonly refused: readonly RefusedLine[];
  /** Non-empty lines of the source up to the end of the batch. */
  readonly done: number;
  /** Share of the source that was read, where it is known. */
  readonly fraction: number | undefined;
}

/** A batch is full where it reaches one of these. */
const FULL = { lines: 1024, passages: 256, images: 32, imageBytes: 1 << 26 } as const;
/** Lines that are prepared at once: what takes time is reading images. */
const PREPARED_AT_ONCE = 8;
/** How long lines are prepared without a break. */
const MOST_MILLISECONDS = 5;

/** Reads a source in batches; lines of an entity that the source has named before are refused. */
export async function* lineBatches(
  source: AsyncIterable<SourceLine>,
  imageFolder: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<LineBatch> {
  const seen = new Set<string>();
  let lines: PreparedLine[] = [];
  let refused: RefusedLine[] = [];
  let done = 0;
  let window: SourceLine[] = [];
  let fraction: number | undefined;

  /** Prepares the window; gives out each batch that becomes full, so that long lines do not come together in one. */
  async function* takeWindow(): AsyncGenerator<LineBatch> {
    const preparing: Promise<PreparedLine | RefusedLine>[] = [];
    let start = performance.now();
    for (const line of window) {
      // Checking and hashing a long line takes milliseconds, and whoever else waits for the thread comes in between.
      preparing.push(prepareLine(line, imageFolder));
      if (performance.now() - start < MOST_MILLISECONDS) continue;
      await setImmediate();
      start = performance.now();
    }
    const prepared = await Promise.all(preparing);
    await setImmediate();
    fraction = window.at(-1)?.fraction ?? fraction;
    window = [];
    for (const line of prepared) {
      done += 1;
      if ('error' in line) refused.push(line);
      else if (seen.has(line.id)) refused.push({ line: line.line, id: line.id, error: namedTwice(line.id) });
      else {
        seen.add(line.id);
        lines.push(line);
      }
      if (isFull(lines, refused)) yield takeBatch();
    }
  }
  const takeBatch = (): LineBatch => {
    const batch = { lines, refused, done, fraction };
    lines = [];
    refused = [];
    return batch;
  };

  for await (const line of source) {
    checkAborted(signal);
    window.push(line);
    if (window.length < PREPARED_AT_ONCE) continue;
    yield* takeWindow();
  }
  yield* takeWindow();
  if (lines.length + refused.length > 0) yield takeBatch();
}

/** @throws GranuleError `ABORTED` */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new GranuleError('ABORTED', 'the operation was aborted', {}, { cause: signal.reason });
}

function isFull(lines: readonly PreparedLine[], refused: readonly RefusedLine[]): boolean {
  let passages = 0;
  let images = 0;
  let imageBytes = 0;
  for (const line of lines) {
    passages += line.passages.length;
    images += line.images.length;
    for (const { bytes } of line.images) imageBytes += bytes.length;
  }
  return (
    lines.length + refused.length >= FULL.lines ||
    passages >= FULL.passages ||
    images >= FULL.images ||
    imageBytes >= FULL.imageBytes
  );
}

function namedTwice(id: string): GranuleError {
  return new GranuleError('DUPLICATE_ID', `entity id '${id}' was already taken by an earlier line`, { id });
}

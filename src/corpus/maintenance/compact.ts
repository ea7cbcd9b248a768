import { rm } from 'node:fs/promises';
import { GranuleError } from '../../errors.js';
import { checkAborted } from '../ingest/line-batches.js';
import { removeOrphans, unnamedImages } from '../storage/image-files.js';
import type { IndexSet } from '../storage/index-set.js';
import type { IndexShelf } from '../storage/index-shelf.js';
import { removeOtherGenerations } from '../storage/recovery.js';
import type { WriteAccess } from '../storage/write-access.js';
import { NewGeneration } from './new-generation.js';

/** What `compact` dropped. */
export interface CompactReport {
  /** Vectors of passages and of images that were deleted or replaced. */
  readonly passages: number;
  readonly images: number;
  /** Image files that nothing named. */
  readonly imageFiles: number;
}

/** Rows that are copied at once. */
const ROWS_PER_COPY = 4096;

/** Copies the live rows to a new generation of indexes and numbers them anew, in their order. */
export async function compactCorpus(
  access: WriteAccess,
  shelf: IndexShelf,
  signal: AbortSignal | undefined,
): Promise<CompactReport> {
  const state = await access.state();
  const reached = await shelf.reach(state, access.connection, signal);
  if (reached === undefined) throw new GranuleError('INTERNAL', 'the indexes changed under the lock');
  const next = await NewGeneration.begin(access.files, state.generation + 1, reached.indexes.dimensions);
  try {
    for await (const rows of liveRows(access, 'passages', signal)) {
      const { data } = await reached.indexes.flat('passages')!.read(rows, { signal });
      await next.addVectors('passages', data, signal);
    }
    for await (const rows of liveRows(access, 'images', signal))
      await copyImages(reached.indexes, next, rows, signal);
    await next.save(signal);
    await access.transaction(async (transaction) => {
      transaction.add(...next.takeOver(transaction.state), {
        kind: 'exec',
        sql: 'DELETE FROM refused_images WHERE file NOT IN (SELECT file FROM images)',
      });
      for (const [table, key] of [
        ['passages', 'passage'],
        ['images', 'image'],
      ] as const) {
        transaction.add({ kind: 'exec', sql: renumber(table, key) });
      }
    });
  } finally {
    reached.indexes.release();
    next.dispose();
  }
  await shelf.clear();
  await removeOtherGenerations(access);
  await listUnnamedImages(access);
  const imageFiles = await removeOrphans(access);
  await access.shrink();
  return { passages: state.deadPassages, images: state.deadImages, imageFiles };
}

async function copyImages(
  indexes: IndexSet,
  next: NewGeneration,
  rows: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { data } = await indexes.flat('images')!.read(rows, { signal });
  await next.addVectors('images', data, signal);
  if (indexes.patches === undefined) return;
  const patches = await indexes.patches.read(rows, { signal });
  await next.addPatches(patches.data, patches.lengths, signal);
}

/** The rows that records have, ascending. */
async function* liveRows(
  { connection }: WriteAccess,
  table: 'passages' | 'images',
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint32Array> {
  for (let last = -1; ; ) {
    checkAborted(signal);
    const found = await connection.all<{ row: number }>(
      `SELECT row FROM ${table} WHERE row > ? ORDER BY row LIMIT ${ROWS_PER_COPY}`,
      [last],
    );
    if (found.length === 0) return;
    last = found.at(-1)!.row;
    yield Uint32Array.from(found, ({ row }) => row);
  }
}

/** Numbers rows without gaps, in their order; by way of numbers that nobody has, since two must never be equal. */
function renumber(table: string, key: string): string {
  return `
    UPDATE ${table} SET row = -1 - moved.to_row FROM (
      SELECT ${key} AS record, row AS from_row, row_number() OVER (ORDER BY row) - 1 AS to_row
        FROM ${table} WHERE row IS NOT NULL
    ) AS moved WHERE ${table}.${key} = moved.record AND moved.from_row <> moved.to_row;
    UPDATE ${table} SET row = -1 - row WHERE row < 0`;
}

/** Lists every image file that no record names as an orphan; what was left half written goes at once. */
async function listUnnamedImages(access: WriteAccess): Promise<void> {
  for await (const names of unnamedImages(access.files, access.connection)) {
    const whole = names.filter((name) => !name.endsWith('.tmp'));
    for (const name of names) if (name.endsWith('.tmp')) await rm(access.files.image(name), { force: true });
    await access.transaction(async (transaction) => {
      const parameters = whole.map((name) => [name]);
      transaction.add({ kind: 'many', sql: 'INSERT OR IGNORE INTO orphans VALUES (?)', parameters });
    });
  }
}

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GranuleError } from '../../errors.js';
import type { Space } from '../database/corpus-state.js';

/** Where everything of a corpus lies. */
export class CorpusFiles {
  /** Absolute path of the folder. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get database(): string {
    return join(this.folder, 'corpus.sqlite');
  }

  /** Held by whoever writes. */
  get lock(): string {
    return join(this.folder, 'corpus.lock');
  }

  get images(): string {
    return join(this.folder, 'images');
  }

  get indexes(): string {
    return join(this.folder, 'indexes');
  }

  /** Folder of one generation of indexes. */
  generation(generation: number): string {
    return join(this.indexes, String(generation));
  }

  index(generation: number, space: Space): string {
    return join(this.generation(generation), space);
  }

  /** @param name - `<sha256>.<extension>` */
  image(name: string): string {
    return join(this.images, name.slice(0, 2), name);
  }
}

/** Whether nothing, or only an empty folder, is at `folder`. */
export async function isFree(folder: string): Promise<boolean> {
  const status = await lstat(folder).catch(() => undefined);
  if (status === undefined) return true;
  return status.isDirectory() && (await readdir(folder).catch(() => ['unreadable'])).length === 0;
}

/** The error itself, or `FILE_NOT_WRITABLE` where the operating system could not write. */
export function unlessSystem(error: unknown, folder: string): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof GranuleError || syscall === undefined) return error;
  return new GranuleError(
    'FILE_NOT_WRITABLE',
    `cannot write to ${folder}: ${message}`,
    { file: folder },
    { cause: error },
  );
}

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the web page, held in memory. */
export interface PageFile {
  /** Where it is served: `/` for `index.html`, `/page/<name>` for the others. */
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** Where the package keeps its page. */
export const PAGE_FOLDER = fileURLToPath(new URL('page/', import.meta.url));

/**
 * Reads the files of the web page, once: what is served is fixed from then on, and no request leads to a path. Files of
 * other kinds are passed over; a folder that does not exist has no page.
 */
export async function readPageFiles(folder: string): Promise<PageFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const served = names.filter((name) => extname(name) in CONTENT_TYPES).sort();
  return Promise.all(
    served.map(async (name) => ({
      path: name === 'index.html' ? '/' : `/page/${encodeURIComponent(name)}`,
      contentType: CONTENT_TYPES[extname(name)]!,
      bytes: await readFile(join(folder, name)),
    })),
  );
}

/** A strong validator of bytes, for the headers ETag and If-None-Match. */
export function entityTag(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
}

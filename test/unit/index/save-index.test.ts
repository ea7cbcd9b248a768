import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FlatIndex, GranuleError } from '../../../src/index.js';
import { loadAddon } from '../../../src/native/load-addon.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';
import { DIMENSION, dataFiles, failing, flat, floats, manifestOf } from './saved-index.js';

describe('save', () => {
  it('to the folder it came from writes what is new', async () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    const index = await flat();
    expect(await index.save(folder)).toMatchObject({ files: 1, filesWritten: 1 });
    const first = manifestOf(folder);
    expect(await index.save(folder)).toMatchObject({ files: 1, filesWritten: 0 });
    expect(manifestOf(folder)).toEqual(first);

    await index.add(floats(DIMENSION));
    expect(await index.save(folder)).toMatchObject({ rows: 301, files: 2, filesWritten: 1 });
    expect(manifestOf(folder)).toMatchObject({
      id: first.id,
      generation: 2,
      segments: [first.segments[0], {}],
    });

    await index.remove(Uint32Array.of(300));
    expect(await index.save(folder)).toMatchObject({ rows: 301, files: 2, filesWritten: 0 });
    const { removed } = manifestOf(folder);
    expect(removed).toMatchObject({ count: 1, bytes: 38 });

    await index.remove(Uint32Array.of(5));
    await index.save(folder);
    expect(dataFiles(folder)).not.toContain(removed.file);
    expect((await FlatIndex.open(folder)).removedRows).toBe(2);
  });

  it('after a compaction writes all anew, and deletes what was there', async () => {
    const folder = temporaryFolder();
    const index = await flat();
    await index.save(folder);
    const before = dataFiles(folder);
    await index.remove(Uint32Array.of(5));
    await index.save(folder);
    await index.compact();
    expect(await index.save(folder)).toMatchObject({ rows: 299, files: 1, filesWritten: 1 });
    expect(dataFiles(folder)).toHaveLength(2);
    expect(dataFiles(folder).filter((name) => before.includes(name))).toEqual(['manifest.json']);
    expect(manifestOf(folder).removed).toBeNull();
  });

  it('to a folder with another index is refused, unless it is to be replaced', async () => {
    const folder = temporaryFolder();
    const first = await flat();
    await first.save(folder);
    const { id } = manifestOf(folder);
    const before = dataFiles(folder);
    const second = await flat(20, { metric: 'l2' });
    await expect(second.save(folder)).rejects.toMatchObject({
      code: 'INDEX_EXISTS',
      details: { folder, id },
    });
    expect(dataFiles(folder)).toEqual(before);
    await second.save(folder, { overwrite: true });
    expect(await FlatIndex.open(folder)).toMatchObject({ rows: 20, metric: 'l2' });
    expect(dataFiles(folder)).toHaveLength(2);
    expect(manifestOf(folder).id).not.toBe(id);
    // The first no longer knows the folder.
    await expect(first.save(folder)).rejects.toEqual(failing('INDEX_EXISTS'));
  });

  it('notices that somebody else has saved since, also in a copy of the same generation', async () => {
    const folder = temporaryFolder();
    await (await flat()).save(folder);
    const copy = join(temporaryFolder(), 'copy');
    cpSync(folder, copy, { recursive: true });
    const [one, two] = [await FlatIndex.open(folder), await FlatIndex.open(folder)];
    await one.add(floats(DIMENSION, 1));
    await one.save(folder);
    await two.add(floats(DIMENSION, 2));
    await expect(two.save(folder)).rejects.toEqual(failing('INDEX_EXISTS', /somebody else/));
    await two.save(copy);
    expect(manifestOf(copy)).toMatchObject({ id: manifestOf(folder).id, generation: 2 });
    await one.add(floats(DIMENSION, 3));
    await expect(one.save(copy)).rejects.toEqual(failing('INDEX_EXISTS'));
  });

  it('leaves a folder with files of something else alone', async () => {
    const index = await flat(5);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'thesis.txt'), 'ten years of work');
    await expect(index.save(folder, { overwrite: true })).rejects.toEqual(
      failing('FILE_NOT_WRITABLE', /holds 'thesis.txt' and no index/),
    );
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
    // A web application has a manifest.json too.
    writeFileSync(join(folder, 'manifest.json'), '{ "name": "App" }');
    await expect(index.save(folder, { overwrite: true })).rejects.toEqual(failing('INDEX_CORRUPT'));
    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe('{ "name": "App" }');
  });

  it('deletes what saves that did not end have left, and nothing else', async () => {
    const folder = temporaryFolder();
    const left = [
      'segment-1-0123456789abcdef.safetensors',
      'removed-1-0123456789abcdef.bin',
      'removed-1-0123456789abcdef.bin.0123456789abcdef.tmp',
      'manifest.json.0123456789abcdef.tmp',
    ];
    for (const name of left) writeFileSync(join(folder, name), 'half');
    const index = await flat(5);
    await index.save(folder);
    expect(dataFiles(folder)).toHaveLength(2);
    for (const name of [...left, 'notes.txt', 'segment-1.safetensors'])
      writeFileSync(join(folder, name), 'x');
    await index.save(folder);
    expect(dataFiles(folder)).toHaveLength(4);
    expect(existsSync(join(folder, 'notes.txt'))).toBe(true);
  });

  it('replaces a damaged index, and goes on from one whose file is lost, only where told to', async () => {
    const folder = temporaryFolder();
    const index = await flat(30);
    await index.save(folder);
    const { file } = manifestOf(folder).segments[0];
    rmSync(join(folder, file));
    await index.add(floats(DIMENSION));
    await expect(index.save(folder)).rejects.toMatchObject({ code: 'INDEX_CORRUPT', details: { file } });
    await index.save(folder, { overwrite: true });
    expect((await FlatIndex.open(folder)).rows).toBe(31);
    truncateSync(join(folder, 'manifest.json'), 100);
    await expect(index.save(folder)).rejects.toMatchObject({ code: 'INDEX_CORRUPT' });
    await index.save(folder, { overwrite: true });
    expect((await FlatIndex.open(folder)).rows).toBe(31);
    expect(dataFiles(folder)).toHaveLength(2);
  });

  it('waits for adds before it and holds up those behind it, in the order of the calls', async () => {
    const folder = temporaryFolder();
    const index = new FlatIndex({ dimension: DIMENSION });
    const calls = [index.add(floats(50 * DIMENSION)), index.save(folder), index.add(floats(DIMENSION))];
    await Promise.all(calls);
    expect((await FlatIndex.open(folder)).rows).toBe(50);
    expect(index.rows).toBe(51);
  });

  it('is refused while somebody else saves', async () => {
    const folder = temporaryFolder();
    const index = await flat(5);
    await index.save(folder);
    const lock = new (loadAddon().FileLock)();
    await lock.acquire(join(folder, '.lock'));
    await index.add(floats(DIMENSION));
    await expect(index.save(folder)).rejects.toMatchObject({ code: 'INDEX_LOCKED', details: { folder } });
    expect((await FlatIndex.open(folder)).rows).toBe(5);
    lock.release();
    await index.save(folder);
    expect((await FlatIndex.open(folder)).rows).toBe(6);
  });

  it('that is aborted leaves the state that was there, and the next one succeeds', async () => {
    const folder = temporaryFolder();
    const index = await flat(1000);
    await index.save(folder);
    const state = readFileSync(join(folder, 'manifest.json'));
    const reason = new Error('enough');
    let stopped = 0;
    for (const delay of [0, 1, 2, 3, 5, 8]) {
      await index.add(floats(5000 * DIMENSION, delay));
      const controller = new AbortController();
      const saving = index.save(folder, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), delay);
      const outcome = await saving.catch((error: unknown) => error);
      if (outcome instanceof GranuleError) {
        expect(outcome).toMatchObject({ code: 'ABORTED', cause: reason });
        stopped++;
        expect((await FlatIndex.open(folder)).rows % 5000).toBe(1000);
      } else {
        expect(outcome).toMatchObject({ rows: index.rows });
      }
    }
    expect(stopped).toBeGreaterThan(0);
    await expect(index.save(folder, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
    await index.save(folder);
    expect(readFileSync(join(folder, 'manifest.json'))).not.toEqual(state);
    expect((await FlatIndex.open(folder)).rows).toBe(index.rows);
    expect(dataFiles(folder)).toHaveLength(1 + manifestOf(folder).segments.length);
  });

  it('of an index that is disposed of meanwhile rejects and leaves the former state', async () => {
    const folder = temporaryFolder();
    const index = await flat(1000);
    await index.save(folder);
    await index.add(floats(50_000 * DIMENSION));
    const saving = index.save(folder);
    await new Promise((resolve) => setTimeout(resolve, 1));
    index.dispose();
    await expect(saving).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    expect([1000, 51_000]).toContain((await FlatIndex.open(folder)).rows);
  });

  it('to a path that cannot be a folder, or is none, says so', async () => {
    const index = await flat(5);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const folder of [file, join(file, 'index'), '/proc/granule/index']) {
      await expect(index.save(folder)).rejects.toMatchObject({
        code: 'FILE_NOT_WRITABLE',
        details: { file: folder },
      });
    }
    for (const folder of ['', 'a\0b', 5, undefined]) {
      await expect(index.save(folder as string)).rejects.toEqual(failing('INVALID_ARGUMENT', /folder/));
    }
    await expect(index.save('x', { overwrite: 1 as never })).rejects.toEqual(failing('INVALID_ARGUMENT'));
    await expect(index.save('x', { replace: true } as never)).rejects.toEqual(failing('INVALID_ARGUMENT'));
  });

  const writesAnywhere = process.platform === 'win32' || process.getuid?.() === 0;
  it.skipIf(writesAnywhere)(
    `to a folder that may not be written says so${writesAnywhere ? ' (skipped: root, and Windows, may write anywhere)' : ''}`,
    async () => {
      const folder = temporaryFolder();
      const index = await flat(5);
      await index.save(folder);
      await index.add(floats(DIMENSION));
      for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
      chmodSync(folder, 0o555);
      await expect(index.save(folder)).rejects.toEqual(failing('FILE_NOT_WRITABLE'));
      expect((await FlatIndex.open(folder, { mmap: true })).rows).toBe(5);
      chmodSync(folder, 0o755);
    },
  );
});

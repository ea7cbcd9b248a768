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
import { FlatIndex, GranuleError, type Hits, MultiVectorIndex } from '../../../src/index.js';
import { loadAddon } from '../../../src/native/load-addon.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';

const DIMENSION = 9;

function floats(count: number, seed = 1): Float32Array {
  let state = seed * 2_654_435_761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

const QUERIES = floats(3 * DIMENSION, 77);

async function flat(rows = 300, options = {}): Promise<FlatIndex> {
  const index = new FlatIndex({ dimension: DIMENSION, ...options });
  await index.add(floats(rows * DIMENSION));
  return index;
}

async function answers(index: FlatIndex, options = {}): Promise<Pick<Hits, 'rows' | 'scores'>> {
  const { rows, scores } = await index.search(QUERIES, { k: 5, ...options });
  return { rows, scores };
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
const dataFiles = (folder: string) => readdirSync(folder).filter((name) => name !== '.lock');

const failing = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message && { message: expect.stringMatching(message) }) });

describe.each([false, true])('an index that was saved and opened with mmap: %s', (mmap) => {
  it.each(['ip', 'cosine', 'l2'] as const)('answers as before (%s)', async (metric) => {
    for (const dtype of ['f32', 'f16', 'bf16'] as const) {
      for (const codes of ['int8', 'none'] as const) {
        const folder = join(temporaryFolder(), 'index');
        const index = await flat(300, { metric, dtype, codes });
        await index.add(floats(100 * DIMENSION, 2), { biases: floats(100, 3) });
        await index.remove(Uint32Array.of(0, 7, 399));
        const report = await index.save(folder);
        expect(report).toMatchObject({ rows: 400, filesWritten: report.files });
        const opened = await FlatIndex.open(folder, { mmap });
        expect(opened).toMatchObject({
          dimension: DIMENSION,
          metric,
          dtype,
          rows: 400,
          removedRows: 3,
          biased: true,
        });
        expect(await answers(opened)).toEqual(await answers(index));
        const filter = new Uint8Array(50).fill(0x55);
        expect(await answers(opened, { filter })).toEqual(await answers(index, { filter }));
      }
    }
  });

  it('is added to, loses rows, is compacted and saved again', async () => {
    const folder = join(temporaryFolder(), 'index');
    const index = await flat();
    await index.save(folder);
    const opened = await FlatIndex.open(folder, { mmap });
    for (const one of [index, opened]) {
      expect(await one.add(floats(50 * DIMENSION, 5))).toBe(300);
      expect(await one.remove(Uint32Array.of(1, 2, 320))).toBe(3);
    }
    expect(await answers(opened)).toEqual(await answers(index));
    const former = await index.compact();
    expect(await opened.compact()).toEqual(former);
    await opened.save(folder);
    expect(await answers(await FlatIndex.open(folder, { mmap }))).toEqual(await answers(index));
  });

  it('of documents answers as before', async () => {
    const folder = temporaryFolder();
    const index = new MultiVectorIndex({ dimension: DIMENSION, metric: 'cosine' });
    const lengths = Uint32Array.from({ length: 60 }, (_, i) => 1 + (i % 7));
    const vectors = lengths.reduce((sum, length) => sum + length, 0);
    await index.add(floats(vectors * DIMENSION), lengths, { biases: floats(60, 4) });
    await index.save(folder);
    const opened = await MultiVectorIndex.open(folder, { mmap });
    const options = { k: 4, explain: true };
    const [before, after] = [await index.search(QUERIES, options), await opened.search(QUERIES, options)];
    expect(after.rows).toEqual(before.rows);
    expect(after.scores).toEqual(before.scores);
    expect(after.matches(0, 0)).toEqual(before.matches(0, 0));
    await opened.add(floats(4 * DIMENSION, 9), Uint32Array.of(4));
    expect(await opened.save(folder)).toMatchObject({ rows: 61, files: 2, filesWritten: 1 });
  });

  it('may be empty', async () => {
    const folder = temporaryFolder();
    await new FlatIndex({ dimension: 3, metric: 'l2' }).save(folder);
    const opened = await FlatIndex.open(folder, { mmap });
    expect(opened).toMatchObject({ rows: 0, dimension: 3, metric: 'l2' });
    expect(await opened.add(floats(3))).toBe(0);
    await opened.save(folder);
    expect((await FlatIndex.open(folder, { mmap })).rows).toBe(1);
  });

  it('names the file that is damaged, at any byte and at any end', async () => {
    const source = temporaryFolder();
    const index = await flat(40);
    await index.remove(Uint32Array.of(3));
    await index.save(source);
    const expected = await answers(index);
    const folder = temporaryFolder();
    for (const file of dataFiles(source)) {
      cpSync(source, folder, { recursive: true });
      const sound = readFileSync(join(source, file));
      const states = [Buffer.alloc(0), sound.subarray(0, -1), Buffer.concat([sound, Buffer.of(1)])];
      for (let at = 0; at < sound.length; at += 13) {
        const altered = Buffer.from(sound);
        altered[at] = altered[at]! ^ 0x10;
        states.push(altered, sound.subarray(0, at));
      }
      for (const state of states) {
        writeFileSync(join(folder, file), state);
        const outcome = await FlatIndex.open(folder, { mmap })
          .then(
            async (opened) => answers(opened),
            (error: unknown) => error,
          )
          .catch((error: unknown) => error);
        if (!(outcome instanceof GranuleError)) {
          // A manifest without its last line's end is whole.
          expect(file).toBe('manifest.json');
          expect(outcome).toEqual(expected);
        } else if (outcome.code !== 'INDEX_VERSION_UNSUPPORTED') {
          expect(outcome).toMatchObject({ code: 'INDEX_CORRUPT', details: { file } });
          expect(outcome.message).toContain(file);
        }
      }
      writeFileSync(join(folder, file), sound);
      rmSync(join(folder, file));
      const absent = file === 'manifest.json' ? 'FILE_NOT_FOUND' : 'INDEX_CORRUPT';
      await expect(FlatIndex.open(folder, { mmap })).rejects.toEqual(failing(absent, new RegExp(file)));
    }
  });
});

describe('with mmap', () => {
  it('vectors are not held in memory', async () => {
    const folder = temporaryFolder();
    const index = await flat(10_000, { codes: 'none' });
    await index.save(folder);
    const opened = await FlatIndex.open(folder, { mmap: true });
    expect(opened.bytes).toBeLessThan(index.bytes / 50);
    expect((await FlatIndex.open(folder)).bytes).toBeGreaterThan(index.bytes * 0.9);
  });

  it('damage is found by the search, the compaction and the save that meet it', async () => {
    const folder = temporaryFolder();
    await (await flat(40)).save(folder);
    const [segment] = readdirSync(folder).filter((name) => name.startsWith('segment'));
    const file = join(folder, segment!);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const opened = await FlatIndex.open(folder, { mmap: true });
    const damaged = expect.objectContaining({ code: 'INDEX_CORRUPT', details: { file: segment } });
    await expect(opened.search(QUERIES, { k: 5 })).rejects.toEqual(damaged);
    await opened.remove(Uint32Array.of(1));
    await expect(opened.compact()).rejects.toEqual(damaged);
    const other = temporaryFolder();
    await expect(opened.save(other)).rejects.toEqual(damaged);
    expect(dataFiles(other)).toEqual([]);
  });
});

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

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'to a folder that may not be written says so (not as root, who may write anything)',
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

describe('open', () => {
  it('says what is there instead', async () => {
    const folder = temporaryFolder();
    for (const absent of [folder, join(folder, 'absent'), join(folder, 'absent', 'index')]) {
      await expect(FlatIndex.open(absent)).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
        details: { file: absent },
      });
    }
    await (await flat(5)).save(folder);
    await expect(MultiVectorIndex.open(folder)).rejects.toEqual(
      failing('INVALID_ARGUMENT', /holds a flat index; open it with FlatIndex\.open/),
    );
    await new MultiVectorIndex({ dimension: 3 }).save(folder, { overwrite: true });
    await expect(FlatIndex.open(folder)).rejects.toEqual(
      failing('INVALID_ARGUMENT', /MultiVectorIndex\.open/),
    );
    const manifest = manifestOf(folder);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, version: 2 }));
    await expect(FlatIndex.open(folder)).rejects.toEqual(failing('INDEX_VERSION_UNSUPPORTED'));
    await expect(new FlatIndex({ dimension: 3 }).save(folder)).rejects.toEqual(
      failing('INDEX_VERSION_UNSUPPORTED'),
    );
  });

  it('checks its options', async () => {
    const folder = temporaryFolder();
    await (await flat(5)).save(folder);
    for (const options of [{ mmap: 1 }, { mmaped: true }, { threads: -1 }, { dimension: 9 }, { signal: 1 }]) {
      await expect(FlatIndex.open(folder, options as never)).rejects.toEqual(failing('INVALID_ARGUMENT'));
    }
    await expect(FlatIndex.open('')).rejects.toEqual(failing('INVALID_ARGUMENT'));
    expect((await FlatIndex.open(folder, { threads: 1, device: 'cpu' })).rows).toBe(5);
  });

  it('stops when it is aborted', async () => {
    const folder = temporaryFolder();
    await (await flat(100_000)).save(folder);
    const reason = new Error('enough');
    let stopped = 0;
    for (const delay of [0, 1, 2, 4]) {
      const controller = new AbortController();
      const opening = FlatIndex.open(folder, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), delay);
      const outcome = await opening.catch((error: unknown) => error);
      if (outcome instanceof FlatIndex) continue;
      expect(outcome).toMatchObject({ code: 'ABORTED', cause: reason });
      stopped++;
    }
    expect(stopped).toBeGreaterThan(0);
    await expect(FlatIndex.open(folder, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('begins again where a save deletes what it was about to read', async () => {
    const folder = temporaryFolder();
    const index = await flat(50);
    await index.save(folder);
    let saving = true;
    const saver = (async () => {
      for (let i = 0; i < 25; i++) {
        await index.remove(Uint32Array.of(0));
        await index.compact();
        await index.save(folder);
      }
      saving = false;
    })();
    let opened = 0;
    while (saving) {
      const { rows } = await FlatIndex.open(folder, { mmap: opened % 2 === 0 });
      expect(rows).toBeGreaterThanOrEqual(25);
      opened++;
    }
    await saver;
    expect(opened).toBeGreaterThan(5);
  });
});

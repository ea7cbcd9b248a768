import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FlatIndex, GranuleError, MultiVectorIndex } from '../../../src/index.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';
import { answers, DIMENSION, dataFiles, failing, flat, floats, manifestOf, QUERIES } from './saved-index.js';

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

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FlatIndex, GranuleError, type Hits, SparseIndex } from '../../../src/index.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';
import { dataFiles, failing, manifestOf } from './saved-index.js';
import { sparseIndex, sparseMatrix, sparseRows } from './sparse-rows.js';

const QUERIES = sparseMatrix(sparseRows(8, 50));

async function answers(index: SparseIndex): Promise<Pick<Hits, 'rows' | 'scores'>[]> {
  const saturations = index.saturating ? [undefined, { base: 0.4, slope: 0.1 }] : [undefined];
  const all = saturations.map((saturation) => index.search(QUERIES, { k: 6, saturation }));
  return (await Promise.all(all)).map(({ rows, scores }) => ({ rows, scores }));
}

describe('a sparse index that was saved and opened', () => {
  it.each([false, true])('answers as before (saturating: %s)', async (saturating) => {
    const folder = join(temporaryFolder(), 'index');
    const index = await sparseIndex(new SparseIndex({ saturating }), sparseRows(300, 1));
    await index.remove(Uint32Array.of(0, 7, 299));
    expect(await index.save(folder)).toMatchObject({ rows: 300, files: 1, filesWritten: 1 });
    expect(manifestOf(folder)).toMatchObject({ kind: 'sparse', saturating, rows: 300 });
    const opened = await SparseIndex.open(folder, { threads: 1 });
    const { rows, removed, postings, totalLength, bytes } = index;
    expect(opened).toMatchObject({ saturating, rows, removed, postings, totalLength, bytes });
    expect(await answers(opened)).toEqual(await answers(index));
    expect(await opened.save(folder)).toMatchObject({ files: 1, filesWritten: 0 });
  });

  it('is saved in part where rows were added, though they are merged in memory', async () => {
    const folder = temporaryFolder();
    const index = new SparseIndex({ saturating: true });
    for (let part = 0; part < 9; part++) {
      await sparseIndex(index, sparseRows(part === 0 ? 150 : 10, part));
      expect(await index.save(folder)).toMatchObject({ rows: index.rows, filesWritten: 1 });
    }
    expect(dataFiles(folder)).toHaveLength(10);
    const opened = await SparseIndex.open(folder);
    expect(opened.totalLength).toBe(index.totalLength);
    expect(await answers(opened)).toEqual(await answers(index));
    await opened.remove(Uint32Array.of(3, 160));
    await index.remove(Uint32Array.of(3, 160));
    expect(await opened.compact()).toEqual(await index.compact());
    expect(await opened.save(folder)).toMatchObject({ rows: index.rows });
    expect(await answers(await SparseIndex.open(folder))).toEqual(await answers(index));
  });

  it('may be empty, or hold rows without entries alone', async () => {
    const folder = temporaryFolder();
    const index = new SparseIndex();
    await index.save(folder);
    expect((await SparseIndex.open(folder)).rows).toBe(0);
    const none = { lengths: new Uint32Array(5), terms: new Uint32Array(), values: new Float32Array() };
    await index.add(none);
    await index.save(folder);
    const opened = await SparseIndex.open(folder);
    expect(opened).toMatchObject({ rows: 5, postings: 0 });
    expect([...(await opened.search(QUERIES, { k: 1 })).counts]).toEqual(Array(8).fill(0));
  });

  it('is not opened as an index of vectors, nor one of vectors as it', async () => {
    const [sparse, flat] = [temporaryFolder(), temporaryFolder()];
    await new SparseIndex().save(sparse);
    await new FlatIndex({ dimension: 2 }).save(flat);
    await expect(FlatIndex.open(sparse)).rejects.toEqual(failing('INVALID_ARGUMENT', /SparseIndex\.open/));
    await expect(SparseIndex.open(flat)).rejects.toEqual(failing('INVALID_ARGUMENT', /FlatIndex\.open/));
    const mmap = { mmap: true } as object;
    await expect(SparseIndex.open(sparse, mmap)).rejects.toEqual(failing('INVALID_ARGUMENT', /mmap/));
    const signal = AbortSignal.abort();
    await expect(SparseIndex.open(sparse, { signal })).rejects.toEqual(failing('ABORTED'));
  });

  it('names the file that is damaged, at any byte and at any end', async () => {
    const source = temporaryFolder();
    const index = await sparseIndex(new SparseIndex({ saturating: true }), sparseRows(12, 2));
    await index.remove(Uint32Array.of(3));
    await index.save(source);
    const expected = await answers(index);
    const folder = temporaryFolder();
    for (const file of dataFiles(source)) {
      cpSync(source, folder, { recursive: true });
      const sound = readFileSync(join(source, file));
      const states = [Buffer.alloc(0), sound.subarray(0, -1), Buffer.concat([sound, Buffer.of(1)])];
      for (let at = 0; at < sound.length; at += 19) {
        const altered = Buffer.from(sound);
        altered[at] = altered[at]! ^ 0x10;
        states.push(altered, sound.subarray(0, at));
      }
      for (const state of states) {
        writeFileSync(join(folder, file), state);
        const outcome = await SparseIndex.open(folder).then(answers, (error: unknown) => error);
        if (!(outcome instanceof GranuleError)) {
          // A manifest without its last line's end is whole.
          expect(file).toBe('manifest.json');
          expect(outcome).toEqual(expected);
        } else if (outcome.code !== 'INDEX_VERSION_UNSUPPORTED') {
          expect(outcome).toMatchObject({ code: 'INDEX_CORRUPT', details: { file } });
          expect(outcome.message).toContain(file);
        }
      }
      rmSync(join(folder, file));
      const absent = file === 'manifest.json' ? 'FILE_NOT_FOUND' : 'INDEX_CORRUPT';
      await expect(SparseIndex.open(folder)).rejects.toEqual(failing(absent, new RegExp(file)));
      writeFileSync(join(folder, file), sound);
    }
  });
});

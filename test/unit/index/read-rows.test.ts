import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FlatIndex, MultiVectorIndex, matrixRow } from '../../../src/index.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';
import { DIMENSION, failing, flat, floats } from './saved-index.js';

describe('FlatIndex.read', () => {
  it('gives float32 vectors back bit for bit, in the order asked for', async () => {
    const given = floats(300 * DIMENSION);
    const index = await flat(300);
    const read = await index.read(Uint32Array.of(299, 0, 17, 17));
    expect(read).toMatchObject({ rows: 4, columns: DIMENSION });
    for (const [i, row] of [299, 0, 17, 17].entries()) {
      expect(matrixRow(read, i)).toEqual(given.subarray(row * DIMENSION, (row + 1) * DIMENSION));
    }
    expect(await index.read(new Uint32Array(0))).toMatchObject({ rows: 0, columns: DIMENSION });
  });

  it.each(['f16', 'bf16'] as const)(
    'gives %s vectors that are stored again without a change',
    async (dtype) => {
      const index = await flat(50, { dtype });
      const rows = Uint32Array.from({ length: 50 }, (_, row) => row);
      const { data } = await index.read(rows);
      expect(data).not.toEqual(floats(50 * DIMENSION));
      const again = new FlatIndex({ dimension: DIMENSION, dtype });
      await again.add(data);
      expect((await again.read(rows)).data).toEqual(data);
    },
  );

  it('reads removed rows until they are compacted, and then the others by their new numbers', async () => {
    const index = await flat(3);
    await index.remove(Uint32Array.of(0));
    expect((await index.read(Uint32Array.of(0))).data).toEqual(floats(3 * DIMENSION).subarray(0, DIMENSION));
    await index.compact();
    expect((await index.read(Uint32Array.of(0))).data).toEqual(
      floats(3 * DIMENSION).subarray(DIMENSION, 2 * DIMENSION),
    );
    await expect(index.read(Uint32Array.of(2))).rejects.toEqual(failing('ROW_NOT_FOUND'));
  });

  it('keeps what it reads when rows are added, compacted and disposed of meanwhile', async () => {
    const index = await flat(200);
    const reading = index.read(Uint32Array.of(150));
    const rows = index.remove(Uint32Array.of(1)).then(() => index.compact());
    expect((await reading).data).toEqual(floats(200 * DIMENSION).subarray(150 * DIMENSION, 151 * DIMENSION));
    await rows;
    const last = index.read(Uint32Array.of(149));
    index.dispose();
    expect((await last).data).toEqual(floats(200 * DIMENSION).subarray(150 * DIMENSION, 151 * DIMENSION));
  });

  it('finds damage of a mapped file where it reads, and names the file', async () => {
    const folder = join(temporaryFolder(), 'index');
    await (await flat(300)).save(folder);
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
    const bytes = readFileSync(join(folder, file!));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(folder, file!), bytes);
    const opened = await FlatIndex.open(folder, { mmap: true });
    expect((await opened.read(Uint32Array.of(5))).rows).toBe(1);
    await expect(opened.read(Uint32Array.of(5, 299))).rejects.toMatchObject({
      code: 'INDEX_CORRUPT',
      details: { file },
    });
  });
});

describe('MultiVectorIndex.read', () => {
  it('gives the vectors of documents with their lengths', async () => {
    const index = new MultiVectorIndex({ dimension: 2 });
    await index.add(floats(12), Uint32Array.of(1, 3, 2));
    await index.remove(Uint32Array.of(1));
    const read = await index.read(Uint32Array.of(2, 1, 0, 2));
    expect(read.columns).toBe(2);
    expect(read.lengths).toEqual(Uint32Array.of(2, 3, 1, 2));
    const given = floats(12);
    expect(read.data).toEqual(
      Float32Array.of(
        ...given.subarray(8),
        ...given.subarray(2, 8),
        ...given.subarray(0, 2),
        ...given.subarray(8),
      ),
    );
    expect(await index.read(new Uint32Array(0))).toEqual({
      data: new Float32Array(0),
      lengths: new Uint32Array(0),
      columns: 2,
    });
  });
});

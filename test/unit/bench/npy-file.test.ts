import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../../src/cli/bench/npy-file.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-npy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Parts {
  descr?: string;
  order?: string;
  shape?: string;
  version?: number;
  magic?: string;
}

function npy(name: string, values: Uint8Array, parts: Parts = {}): string {
  const { descr = '<f4', order = 'False', shape = '(2, 3)', version = 1, magic = '\x93NUMPY' } = parts;
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const before = version === 1 ? 10 : 12;
  const header = `${text.padEnd(Math.ceil((text.length + before + 1) / 64) * 64 - before - 1)}\n`;
  const prefix = Buffer.alloc(before);
  prefix.write(magic, 'latin1');
  prefix[6] = version;
  if (version === 1) prefix.writeUInt16LE(header.length, 8);
  else prefix.writeUInt32LE(header.length, 8);
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([prefix, Buffer.from(header, 'latin1'), values]));
  return path;
}

const six = new Uint8Array(new Float32Array([1, 2, 3, -4, 0.5, 1e30]).buffer);

describe('readNpy', () => {
  it.each([1, 2, 3])('reads float32 of format version %i', async (version) => {
    const read = await readNpy(npy(`f4-${version}.npy`, six, { version }));
    expect(read).toEqual({ data: new Float32Array([1, 2, 3, -4, 0.5, 1e30]), rows: 2, columns: 3 });
  });

  it('widens float16 exactly: normal, subnormal, signed zero, the largest', async () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x3555]);
    const { data } = await readNpy(npy('f2.npy', new Uint8Array(halves.buffer), { descr: '<f2' }));
    expect([...data]).toEqual([1, -2, 2 ** -24, -0, 65504, 0.333251953125]);
  });

  it.each([
    ['is not NumPy', { magic: '\x93NUMPX' }, /not a NumPy file/],
    ['has an unknown version', { version: 9 }, /version 9/],
    ['is float64', { descr: '<f8' }, /type <f8; save float32/],
    ['is big endian', { descr: '>f4' }, /type >f4/],
    ['is in Fortran order', { order: 'True' }, /Fortran order/],
    ['has one dimension', { shape: '(6,)' }, /shape \(6,\)/],
    ['has no rows', { shape: '(0, 3)' }, /shape \(0, 3\)/],
    ['is too short', { shape: '(3, 3)' }, /24 bytes of values where 3 x 3 of them take 36/],
    ['is too long', { shape: '(1, 3)' }, /24 bytes of values where 1 x 3 of them take 12/],
  ] as [string, Parts, RegExp][])('refuses a file that %s', async (what, parts, message) => {
    const path = npy(`${what}.npy`, six, parts);
    const error = await readNpy(path).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { file: path } });
    expect((error as Error).message).toMatch(message);
  });

  it('refuses every truncation', async () => {
    const whole = npy('whole.npy', six);
    const { readFileSync } = await import('node:fs');
    const bytes = readFileSync(whole);
    for (let length = 0; length < bytes.length; length++) {
      const path = join(folder, 'cut.npy');
      writeFileSync(path, bytes.subarray(0, length));
      await expect(readNpy(path), `${length} bytes`).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it('says which file is missing', async () => {
    await expect(readNpy(join(folder, 'none.npy'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

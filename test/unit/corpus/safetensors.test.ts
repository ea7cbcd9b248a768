import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors, type Tensors, writeSafetensors } from '../../../src/corpus/safetensors.js';
import { temporaryFolder } from './temporary-folder.js';

function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([size, json, data]);
}

const tensor = (shape: number[], offsets: number[], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: offsets,
});

describe('safetensors', () => {
  it('gives back every bit of what was written, views included', async () => {
    const path = join(temporaryFolder(), 'a.safetensors');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true }), { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 9 }),
        async (floats, counts) => {
          const backing = Float32Array.from([7, ...floats]);
          const tensors: Tensors = new Map([
            ['x', { shape: [floats.length, 1], data: backing.subarray(1) }],
            ['n', { shape: [counts.length], data: Uint32Array.from(counts) }],
          ]);
          const written = await writeSafetensors(path, tensors);
          const read = await readSafetensors(path);
          expect(read.digest).toEqual(written);
          expect(new Uint8Array(read.tensors.get('x')!.data.buffer)).toEqual(
            new Uint8Array(Float32Array.from(floats).buffer),
          );
          expect(read.tensors.get('n')).toEqual({ shape: [counts.length], data: Uint32Array.from(counts) });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('writes the layout of the format, aligned, with the hash of the file', async () => {
    const path = join(temporaryFolder(), 'a.safetensors');
    const data = Float32Array.of(1, -2.5);
    const digest = await writeSafetensors(path, new Map([['v', { shape: [1, 2], data }]]));
    const bytes = readFileSync(path);
    const headerLength = Number(bytes.readBigUInt64LE());
    expect(headerLength % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + headerLength))).toEqual({ v: tensor([1, 2], [0, 8]) });
    expect([bytes.readFloatLE(8 + headerLength), bytes.readFloatLE(12 + headerLength)]).toEqual([1, -2.5]);
    expect(digest).toEqual({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  });

  it('refuses to write a tensor that does not fill its shape', async () => {
    const path = join(temporaryFolder(), 'a.safetensors');
    await expect(
      writeSafetensors(path, new Map([['v', { shape: [2, 2], data: new Float32Array(3) }]])),
    ).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
  });

  it('reports a file cut at any length by its name', async () => {
    const path = join(temporaryFolder(), 'a.safetensors');
    await writeSafetensors(path, new Map([['v', { shape: [2, 2], data: new Float32Array(4) }]]));
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      await expect(readSafetensors(path), `cut to ${length}`).rejects.toMatchObject({
        code: 'CORPUS_INVALID',
        details: { file: path },
      });
    }
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a header longer than the file', Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3])],
    ['a header that is not JSON', file('{"v":')],
    [
      'a header that is not UTF-8',
      Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0xff])]),
    ],
    ['a header that is an array', file([])],
    ['an entry that is null', file({ v: null })],
    ['a type that is not known', file({ v: tensor([2], [0, 8], 'F64') }, new Uint8Array(8))],
    ['a negative shape', file({ v: tensor([-1, -2], [0, 8]) }, new Uint8Array(8))],
    [
      'a shape that is no array',
      file({ v: { dtype: 'F32', shape: 2, data_offsets: [0, 8] } }, new Uint8Array(8)),
    ],
    ['offsets that do not fit the shape', file({ v: tensor([2], [0, 4]) }, new Uint8Array(4))],
    ['offsets that overlap', file({ a: tensor([2], [0, 8]), b: tensor([2], [4, 12]) }, new Uint8Array(12))],
    ['a gap', file({ a: tensor([1], [0, 4]), b: tensor([1], [8, 12]) }, new Uint8Array(12))],
    ['bytes that no tensor claims', file({ a: tensor([1], [0, 4]) }, new Uint8Array(5))],
    ['a shape that would need petabytes', file({ a: tensor([2 ** 40, 2 ** 12], [0, 2 ** 54]) })],
  ])('refuses %s', async (_, bytes) => {
    const path = join(temporaryFolder(), 'a.safetensors');
    writeFileSync(path, bytes);
    await expect(readSafetensors(path)).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: path },
    });
  });

  it('names a file that is missing', async () => {
    await expect(readSafetensors('/nowhere/a.safetensors')).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: '/nowhere/a.safetensors' },
    });
  });
});

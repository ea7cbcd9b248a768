import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GranuleError } from '../../../../src/errors.js';
import { readTowers, type TowerFile, writeTowers } from '../../../../src/training/export/tower-file.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';
import { temporaryFolder } from '../../corpus/temporary-folder.js';
import { randomTower } from './random-tower.js';

const SHAPES: readonly TowerShape[] = [
  { kind: 'linear', input: 3, output: 2 },
  { kind: 'linear', input: 2, output: 2, bias: false, normalise: false },
  { kind: 'low-rank', dimension: 4, rank: 1, scale: 0.3 },
  { kind: 'mlp', input: 2, hidden: 3, output: 2, residual: true },
];
const PYTHON = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="numpy") as f:
    print(json.dumps({"metadata": f.metadata(), "tensors": {k: f.get_tensor(k).tolist() for k in f.keys()}}))
`;
const hasPython = spawnSync('python3', ['-c', 'import numpy, safetensors']).status === 0;

interface Header {
  __metadata__: Record<string, unknown>;
  [tensor: string]: unknown;
}

/** A file taken apart as the format's description says, without the code under test. */
function takenApart(bytes: Buffer): { header: Header; data: Buffer } {
  const length = Number(bytes.readBigUInt64LE());
  return { header: JSON.parse(bytes.toString('utf8', 8, 8 + length)), data: bytes.subarray(8 + length) };
}

/** A file of any header and data, with a checksum that is right. */
function forged(header: Header, data: Uint8Array): Buffer {
  const bytesWith = (sha256: string) => {
    const metadata = { ...header.__metadata__, sha256 };
    const text = JSON.stringify({ ...header, __metadata__: metadata });
    const size = Math.ceil((8 + Buffer.byteLength(text)) / 64) * 64;
    const bytes = Buffer.alloc(size, ' ');
    bytes.writeBigUInt64LE(BigInt(size - 8));
    bytes.write(text, 8);
    return bytes;
  };
  const hash = createHash('sha256')
    .update(bytesWith('0'.repeat(64)))
    .update(data);
  return Buffer.concat([bytesWith(hash.digest('hex')), data]);
}

async function written(content: TowerFile): Promise<{ file: string; folder: string; bytes: Buffer }> {
  const folder = temporaryFolder();
  const file = join(folder, 'adapter.safetensors');
  await writeTowers(file, content);
  return { file, folder, bytes: readFileSync(file) };
}

async function full(): Promise<TowerFile> {
  return {
    query: await randomTower(SHAPES[0]!),
    document: await randomTower(SHAPES[2]!),
    logTemperature: Math.fround(Math.log(0.05)),
    metadata: { encoder: 'ein "Name" ✓', options: JSON.stringify({ seed: 1 }) },
  };
}

describe('writeTowers and readTowers', () => {
  it.each(SHAPES.map((shape) => [JSON.stringify(shape), shape] as const))(
    'give a tower %s back, bit for bit',
    async (_, shape) => {
      for (const side of ['query', 'document'] as const) {
        const tower = await randomTower(shape);
        const { file } = await written({ [side]: tower });
        const back = await readTowers(file);
        expect(back).toMatchObject({ logTemperature: undefined, metadata: {} });
        expect(back[side === 'query' ? 'document' : 'query']).toBeUndefined();
        expect(back[side]!.shape).toEqual(shape);
        expect([...back[side]!.parameters]).toEqual([...tower.parameters]);
      }
    },
  );

  it('keep both sides, the temperature and the texts; the same content is the same bytes', async () => {
    const content = await full();
    const { file, bytes, folder } = await written(content);
    const back = await readTowers(file);
    expect(back.query!.parameters).toEqual(content.query!.parameters);
    expect(back.document!.parameters).toEqual(content.document!.parameters);
    expect(back.logTemperature).toBe(content.logTemperature);
    expect(back.metadata).toEqual(content.metadata);
    await writeTowers(file, back);
    expect(readFileSync(file)).toEqual(bytes);
    expect(readdirSync(folder)).toEqual(['adapter.safetensors']);
  });

  it('make a file of the format: names, shapes, places without gaps, little-endian float32', async () => {
    const content = await full();
    const { header, data } = takenApart((await written(content)).bytes);
    const { __metadata__: metadata, ...tensors } = header;
    expect(Object.keys(tensors)).toEqual([
      'query.weight',
      'query.bias',
      'document.down',
      'document.up',
      'log_temperature',
    ]);
    for (const text of Object.values(metadata)) expect(typeof text).toBe('string');
    let end = 0;
    for (const [name, tensor] of Object.entries(tensors)) {
      const { dtype, shape, data_offsets } = tensor as Record<string, number[]>;
      const [side, ...rest] = name.split('.');
      const parameter = content[side as 'query']?.parameters?.get(rest.join('.'));
      const values = parameter?.values ?? [content.logTemperature!];
      expect([dtype, shape, data_offsets]).toEqual([
        'F32',
        parameter?.shape ?? [1],
        [end, end + 4 * values.length],
      ]);
      for (const value of values) {
        expect(data.readFloatLE(end)).toBe(value);
        end += 4;
      }
    }
    expect(data.length).toBe(end);
  });

  it.skipIf(!hasPython)(
    `are read by safetensors for Python${hasPython ? '' : ' (skipped: python3 has no safetensors and numpy)'}`,
    async () => {
      const content = await full();
      const { file } = await written(content);
      const found = JSON.parse(execFileSync('python3', ['-c', PYTHON, file], { encoding: 'utf8' }));
      expect(found.metadata).toMatchObject(content.metadata!);
      expect(found.tensors['query.weight'].flat()).toEqual([
        ...content.query!.parameters.get('weight')!.values,
      ]);
      expect(found.tensors.log_temperature).toEqual([content.logTemperature]);
    },
  );
});

describe('readTowers', () => {
  const refusal = async (file: string, bytes: Uint8Array) => {
    writeFileSync(file, bytes);
    const error = await readTowers(file).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(GranuleError);
    expect(error).toMatchObject({ code: 'TRAINING_FILE_INVALID', details: { file } });
    expect((error as Error).message.startsWith(file)).toBe(true);
    return (error as GranuleError).message.slice(file.length + 1);
  };

  it('refuses a file that was cut at any place, and any single byte that was changed', async () => {
    const { file, bytes } = await written({ query: await randomTower(SHAPES[1]!), logTemperature: -3 });
    for (let length = 0; length < bytes.length; length += 16) await refusal(file, bytes.subarray(0, length));
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      await refusal(file, changed);
    }
    expect(await refusal(file, Buffer.concat([bytes, Buffer.alloc(1)]))).toContain('added to');
  });

  it('says what is wrong with a hostile file, and takes no memory for it', async () => {
    const { file, bytes } = await written({ query: await randomTower(SHAPES[0]!) });
    const { header, data } = takenApart(bytes);
    const { __metadata__: metadata } = header;
    const with_ = (change: object, more: object = {}) =>
      forged({ ...header, __metadata__: { ...metadata, ...change }, ...more }, data);
    // What the others change, this one leaves: forged files are refused for what they say, not for how they were made.
    expect(forged(header, data)).toEqual(bytes);
    const terabyte = Buffer.from(bytes);
    terabyte.writeBigUInt64LE(2n ** 40n);
    const vast = { kind: 'linear', input: 65_536, output: 65_536, bias: false };
    const vastTensor = { dtype: 'F32', shape: [65_536, 65_536], data_offsets: [0, 4 * 65_536 ** 2] };
    const nan = Buffer.from(data);
    nan.writeFloatLE(Number.NaN, 4 * 4);
    const weight = { dtype: 'F32', shape: [3, 2], data_offsets: [0, 24] };
    const { 'query.bias': _, ...withoutBias } = header;
    const cases: [Uint8Array, RegExp][] = [
      [terabyte, /^is no safetensors file of Granule: its header would have 1099511627776 bytes/],
      [
        with_({}, { 'query.weight': weight }),
        /"shape":\[3,2\].* as tensor 'query.weight', .*"shape":\[2,3\]/,
      ],
      [with_({}, { 'query.weight': { ...weight, shape: [2, 3], dtype: 'F16' } }), /"F16".* as tensor/],
      [forged(withoutBias as Header, data), /^has none as tensor 'query.bias'/],
      [with_({}, { extra: weight }), /^has a tensor 'extra'/],
      [
        with_({ query: JSON.stringify({ ...SHAPES[0], input: 0 }) }),
        /^has no shape of a tower as 'query': input/,
      ],
      [with_({ query: 'null' }), /^has a metadata 'query' that is no JSON object/],
      [with_({ query: undefined }), /^holds no tower/],
      [with_({ version: '2' }), /^is of version 2 /],
      [with_({ format: 'pt' }), /^holds tensors, and does not say/],
      [with_({ steps: 3 }), /^has metadata 'steps' that is no text/],
      [forged(header, nan), /^holds NaN in query.weight, row 1, column 1/],
      [
        forged(
          { __metadata__: { ...metadata, query: JSON.stringify(vast) }, 'query.weight': vastTensor },
          data,
        ),
        /^has \d+ bytes, and its header says 17179869\d+/,
      ],
      [
        Buffer.from('{"__metadata__":{}}'),
        /^is no safetensors file of Granule: its header would have \d+ bytes/,
      ],
      [Buffer.from('PK'), /^has 2 bytes/],
    ];
    // The same header with more spaces in it, and the checksum of the one that is written.
    const loose = Buffer.from(JSON.stringify(header, null, 1));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(loose.length));
    cases.push([
      Buffer.concat([size, loose, data]),
      /^has a header that says the right things in another way/,
    ]);
    for (const [content, message] of cases) expect(await refusal(file, content)).toMatch(message);
  });

  it('reports a file that is not there, a folder, and an abort', async () => {
    const folder = temporaryFolder();
    await expect(readTowers(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(readTowers(folder)).rejects.toMatchObject({
      code: expect.stringMatching(/FILE_NOT_FOUND|TRAINING/),
    });
    const { file } = await written({ query: await randomTower(SHAPES[0]!) });
    await expect(readTowers(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('writeTowers', () => {
  it('refuses what it could not read again, and leaves the file that is there', async () => {
    const query = await randomTower(SHAPES[0]!);
    const { file, folder, bytes } = await written({ query });
    const invalid = { code: 'INVALID_ARGUMENT' };
    const cases: [unknown, object][] = [
      [{}, invalid],
      [{ query: { shape: query.shape } }, invalid],
      [{ query, side: 'query' }, invalid],
      [{ query, logTemperature: Number.NaN }, invalid],
      [{ query, logTemperature: 1e39 }, invalid],
      [{ query, metadata: { sha256: '' } }, invalid],
      [{ query, metadata: { steps: 3 } }, invalid],
      [{ query, metadata: { log: 'x'.repeat(1 << 20) } }, invalid],
    ];
    for (const [content, error] of cases) {
      await expect(writeTowers(file, content as TowerFile)).rejects.toMatchObject(error);
    }
    const broken = await randomTower(SHAPES[0]!);
    broken.parameters.get('weight')!.values[5] = Number.POSITIVE_INFINITY;
    await expect(writeTowers(file, { document: broken })).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { parameter: 'document.weight', row: 1, column: 2 },
    });
    await expect(writeTowers(file, { query }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(readFileSync(file)).toEqual(bytes);
    expect(readdirSync(folder)).toEqual(['adapter.safetensors']);
  });

  it('leaves one of several that write at once, whole, and nothing else', async () => {
    const folder = temporaryFolder();
    const [file, alone] = [join(folder, 'a.safetensors'), join(temporaryFolder(), 'a.safetensors')];
    const towers = await Promise.all(
      [1, 2, 3, 4].map((seed) => Tower.create({ kind: 'linear', input: 300, output: 40 * seed }, { seed })),
    );
    const whole = new Set<string>();
    for (const query of towers) {
      await writeTowers(alone, { query });
      whole.add(readFileSync(alone, 'base64'));
    }
    for (let round = 0; round < 5; round++) {
      await Promise.all(towers.map((query) => writeTowers(file, { query })));
      expect(whole).toContain(readFileSync(file, 'base64'));
      expect(readdirSync(folder)).toEqual(['a.safetensors']);
    }
  });

  it('reports a place where nothing can be written, and leaves nothing', async () => {
    const folder = temporaryFolder();
    const query = await randomTower(SHAPES[0]!);
    mkdirSync(join(folder, 'there'));
    for (const file of [join(folder, 'none', 'a.safetensors'), join(folder, 'there')]) {
      await expect(writeTowers(file, { query })).rejects.toMatchObject({
        code: 'FILE_NOT_WRITABLE',
        details: { file },
      });
    }
    expect(readdirSync(folder)).toEqual(['there']);
  });
});

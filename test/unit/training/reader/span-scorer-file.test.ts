import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CANDIDATE_FEATURES } from '../../../../src/generators/extractive/candidate-features.js';
import { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import { readSpanScorer, writeSpanScorer } from '../../../../src/training/reader/span-scorer-file.js';
import type { SpanScorerShape } from '../../../../src/training/reader/span-scorer-shape.js';
import { TrainedReader } from '../../../../src/training/reader/trained-reader.js';
import { sameBits } from '../towers/same-bits.js';

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const folder = mkdtempSync(join(tmpdir(), 'granule-span-scorer-'));
const file = join(folder, 'reader.safetensors');
afterAll(() => rmSync(folder, { recursive: true }));

const SHAPES: readonly SpanScorerShape[] = [{ kind: 'linear' }, { kind: 'mlp', hidden: 3 }];

async function written(shape: SpanScorerShape): Promise<Buffer> {
  await writeSpanScorer(file, await SpanScorer.create(shape, { seed: 7 }));
  return readFileSync(file);
}

/** The file's error where its bytes are these. */
async function refusal(bytes: Uint8Array): Promise<{ code: string; message: string; details: object }> {
  writeFileSync(file, bytes);
  return readSpanScorer(file).then(
    () => expect.fail('it was read'),
    (error) => error,
  );
}

/** The file with another text for its header. */
function withHeader(bytes: Buffer, change: (text: string) => string): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE());
  const text = Buffer.from(change(bytes.toString('utf8', 8, end)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, bytes.subarray(end)]);
}

describe.each(SHAPES)('a span scorer of $kind in a file', (shape) => {
  it('comes back bit for bit, and makes a reader', async () => {
    const scorer = await SpanScorer.create(shape, { seed: 7 });
    await writeSpanScorer(file, scorer);
    const again = await readSpanScorer(file);
    expect(again.shape).toEqual(shape);
    expect(Object.keys(again.values)).toEqual(Object.keys(scorer.values));
    expect(sameBits(Object.values(again.values), Object.values(scorer.values))).toBe(true);
    const bytes = readFileSync(file);
    await writeSpanScorer(file, again);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    const passages = [{ id: 'p', entityId: 'e', text: 'Aland: facts. The capital of Aland is Foo.' }];
    const reader = await TrainedReader.load(file, { answers: 1 });
    expect(await reader.generate('What is the capital?', passages)).toMatchObject([[{ text: 'Foo' }]]);
  });

  it('is a file of tensors as others read them', async () => {
    const bytes = await written(shape);
    const end = 8 + Number(bytes.readBigUInt64LE());
    expect(end % 64).toBe(0);
    const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.toString('utf8', 8, end));
    expect(Object.values(metadata).every((value) => typeof value === 'string')).toBe(true);
    let at = 0;
    const { values } = await readSpanScorer(file);
    for (const [
      name,
      {
        dtype,
        shape: sizes,
        data_offsets: [from, to],
      },
    ] of Object.entries<TensorEntry>(tensors)) {
      expect([dtype, from, to - from]).toEqual([
        'F32',
        at,
        4 * sizes.reduce((a: number, b: number) => a * b),
      ]);
      const numbers = Array.from({ length: (to - from) / 4 }, (_, i) =>
        bytes.readFloatLE(end + from + 4 * i),
      );
      expect(numbers).toEqual([...values[name]!]);
      at = to;
    }
    expect(end + at).toBe(bytes.length);
  });

  it('is refused by name where it is cut off at any place, or goes on', async () => {
    const bytes = await written(shape);
    for (const length of [0, 7, 8, 9, 100, bytes.length - 200, bytes.length - 4, bytes.length - 1]) {
      expect(await refusal(bytes.subarray(0, length))).toMatchObject({
        code: 'TRAINING_FILE_INVALID',
        details: { file },
      });
    }
    expect((await refusal(Buffer.concat([bytes, Buffer.alloc(4)]))).code).toBe('TRAINING_FILE_INVALID');
  });
});

describe('a file that is no span scorer of this version', () => {
  it.each<[string, (text: string) => string, RegExp]>([
    ['another format', (text) => text.replace('granule-span-scorer', 'pt'), /its format is pt/],
    [
      'a later version',
      (text) => text.replace('"version":"1"', '"version":"2"'),
      /is of version 2 of its format/,
    ],
    ['other features', (text) => text.replace(CANDIDATE_FEATURES[3]!, 'x'), /other features/],
    ['no metadata', () => '{}', /does not say that they are a span scorer/],
    ['no JSON', () => '{', /header that is not JSON/],
    [
      'a tensor twice',
      (text) => text.replace('[0,180]', '[180,360]'),
      /as tensor 'candidate.weight', and .* is needed/,
    ],
    [
      'another shape',
      (text) => text.replace('[1,45]', '[45,1]'),
      /as tensor 'candidate.weight', and .* is needed/,
    ],
    ['another kind', (text) => text.replace('linear', 'cubic'), /kind must be/],
    [
      'a huge tensor',
      (text) => text.replace('[0,180]', '[0,1099511627776]'),
      /as tensor 'candidate.weight', and .* is needed/,
    ],
    [
      'a tensor of no size',
      (text) => text.replace('[0,180]', '[180,180]'),
      /as tensor 'candidate.weight', and .* is needed/,
    ],
  ])('is refused: %s', async (_, change, reason) => {
    const error = await refusal(withHeader(await written({ kind: 'linear' }), change));
    expect(error).toMatchObject({ code: 'TRAINING_FILE_INVALID', details: { file } });
    expect(error.message).toMatch(reason);
  });

  it('is refused: a header of a terabyte, another number', async () => {
    const bytes = await written({ kind: 'linear' });
    const huge = Buffer.from(bytes);
    huge.writeBigUInt64LE(2n ** 40n);
    expect((await refusal(huge)).message).toMatch(/its header would have 1099511627776 bytes/);
    bytes.writeFloatLE(0.5, bytes.length - 4);
    expect((await refusal(bytes)).message).toMatch(/was altered: its checksum/);
  });

  it('is not there, or cannot be', async () => {
    const missing = join(folder, 'missing', 'reader.safetensors');
    await expect(readSpanScorer(missing)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      details: { file: missing },
    });
    const scorer = await SpanScorer.create({ kind: 'linear' });
    await expect(writeSpanScorer(missing, scorer)).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Corpus } from '../../../../src/corpus/corpus.js';
import type { FittedTextEncoder } from '../../../../src/encoders/encoder.js';
import { NgramTextEncoder } from '../../../../src/encoders/ngram/ngram-text-encoder.js';
import { type TowerFile, writeTowers } from '../../../../src/training/export/tower-file.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { adaptedTextEncoder } from '../../../../src/training/trainer/adapted-text-encoder.js';
import {
  type Adapter,
  identityOf,
  loadAdapter,
  saveAdapter,
} from '../../../../src/training/trainer/adapter.js';
import { readCorpusAdapter } from '../../../../src/training/trainer/corpus-adapter.js';
import { matrixRow } from '../../../../src/vectors/matrix.js';
import { FakeImageEncoder } from '../../corpus/fake-encoders.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PASSAGES = ['a hill by the sea', 'a town in the hills', 'the sea'];
const fitted = (passages = PASSAGES) => {
  const encoder = new NgramTextEncoder({ dimension: 32 });
  encoder.fit(passages);
  return encoder;
};

let queryOnly: Adapter;
let both: Adapter;
beforeAll(async () => {
  const query = await Tower.create({ kind: 'linear', input: 32, output: 32 }, { seed: 1 });
  const document = await Tower.create({ kind: 'mlp', input: 32, hidden: 8, output: 32 }, { seed: 2 });
  const encoder = identityOf(fitted());
  queryOnly = { query, temperature: 0.07, encoder, training: { seed: 3 } };
  both = { ...queryOnly, document };
});

describe('an adapter', () => {
  it('comes back from its file as it was', async () => {
    const file = join(folder, 'both.safetensors');
    await saveAdapter(file, both);
    const read = await loadAdapter(file);
    expect(read.query.shape).toEqual(both.query.shape);
    expect(read.document!.shape).toEqual(both.document!.shape);
    for (const side of ['query', 'document'] as const) {
      for (const [name, { values }] of both[side]!.parameters) {
        expect(read[side]!.parameters.get(name)!.values).toEqual(values);
      }
    }
    expect(read.temperature).toBeCloseTo(0.07, 8);
    expect(read).toMatchObject({ encoder: both.encoder, training: { seed: 3 } });
  });

  it('is a file that any reader of safetensors reads: its header says where each tensor lies', async () => {
    const file = join(folder, 'plain.safetensors');
    await saveAdapter(file, queryOnly);
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    expect((8 + length) % 8).toBe(0);
    expect(header['query.weight']).toMatchObject({ dtype: 'F32', shape: [32, 32] });
    const [begin, end] = header['query.weight'].data_offsets;
    const weight = queryOnly.query.parameters.get('weight')!.values;
    expect(bytes.subarray(8 + length + begin, 8 + length + end).equals(Buffer.from(weight.buffer))).toBe(
      true,
    );
    expect(Object.values(header.__metadata__).every((text) => typeof text === 'string')).toBe(true);
    const ends = Object.values(header).flatMap(
      (entry) => (entry as { data_offsets?: number[] }).data_offsets?.[1] ?? [],
    );
    expect(Math.max(...ends)).toBe(bytes.length - 8 - length);
  });

  it('is refused where the file is damaged, another one, or holds what is no tower', async () => {
    const file = join(folder, 'damaged.safetensors');
    const refused = () =>
      expect(loadAdapter(file)).rejects.toMatchObject({ code: 'TRAINING_FILE_INVALID', details: { file } });
    await saveAdapter(file, queryOnly);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length - 4));
    await refused();
    const flipped = Buffer.from(whole);
    flipped[whole.length - 1]! ^= 1;
    writeFileSync(file, flipped);
    await refused();
    writeFileSync(file, 'no safetensors at all');
    await refused();
    const { query, document } = both;
    const encoder = JSON.stringify(queryOnly.encoder);
    const said = { encoder, training: '{}' };
    const write = (content: TowerFile) => writeTowers(file, content);
    await write({ query, logTemperature: 0, metadata: said });
    expect(await loadAdapter(file)).toMatchObject({ temperature: 1, encoder: queryOnly.encoder });
    const message = async () => ((await loadAdapter(file).catch((error) => error)) as Error).message;
    await write({ document, logTemperature: 0, metadata: said });
    expect(await message()).toContain('it lacks a tower of queries');
    await write({ query, metadata: said });
    expect(await message()).toContain('it lacks the temperature');
    await write({ query, logTemperature: 0 });
    expect(await message()).toContain("has no metadata 'encoder'");
    await write({ query, logTemperature: 0, metadata: { encoder, training: '3' } });
    await refused();
    const other = JSON.stringify({ ...queryOnly.encoder, dimension: 16 });
    await write({ query, logTemperature: 0, metadata: { ...said, encoder: other } });
    expect(await message()).toContain('vectors of 32 numbers, and its encoder gives 16');
    await refused();
    await expect(loadAdapter(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('an adapted encoder', () => {
  it('maps queries, and leaves the passages of the same encoder as they are', async () => {
    const encoder = fitted();
    const adapted = adaptedTextEncoder(encoder, queryOnly);
    expect(adapted).toMatchObject({ name: encoder.name, version: encoder.version, dimension: 32 });
    const [plain, mapped] = await Promise.all([
      encoder.encodeQueries(['the sea']),
      adapted.encodeQueries(['the sea']),
    ]);
    expect(mapped.vectors).toEqual(await queryOnly.query.encode(plain.vectors));
    const passages = await adapted.encodePassages(PASSAGES);
    expect(passages.vectors).toEqual((await encoder.encodePassages(PASSAGES)).vectors);
  });

  it('is another encoder where passages go through a tower, one for each adapter', async () => {
    const encoder = fitted();
    const adapted = adaptedTextEncoder(encoder, both);
    expect(adapted.name).toBe('ngram-text+adapter');
    expect(adapted.version).toMatch(/^1\+[0-9a-f]{12}$/);
    expect(adaptedTextEncoder(encoder, { ...both, document: both.query }).version).not.toBe(adapted.version);
    const { vectors } = await adapted.encodePassages(PASSAGES);
    expect(vectors).toEqual(await both.document!.encode((await encoder.encodePassages(PASSAGES)).vectors));
    expect('fit' in adapted && 'state' in adapted && 'restore' in adapted).toBe(true);
  });

  it('is refused on another encoder, and on one that has learned something else', () => {
    const mismatch = expect.objectContaining({ code: 'ENCODER_MISMATCH' });
    expect(() => adaptedTextEncoder(fitted(['something else']), queryOnly)).toThrow(mismatch);
    const other = { ...queryOnly, encoder: { ...queryOnly.encoder, version: '2' } };
    expect(() => adaptedTextEncoder(fitted(), other)).toThrow(mismatch);
  });

  it('with a tower of documents encodes a corpus anew, and opens it again', async () => {
    const encoders = () => ({ textEncoder: new NgramTextEncoder({ dimension: 32 }), imageEncoder });
    const imageEncoder = new FakeImageEncoder();
    const kb = join(folder, 'kb');
    const own = encoders();
    await using corpus = await Corpus.create(kb, own);
    const passages = PASSAGES.map((text, i) => ({ id: `p${i}`, text }));
    await corpus.ingest([{ entity: { id: 'e', title: 'E' }, passages }]);
    const adapter = { ...both, encoder: identityOf(own.textEncoder) };
    await corpus.reencode({ ...own, textEncoder: adaptedTextEncoder(own.textEncoder, adapter) });
    await corpus.close();
    await expect(Corpus.open(kb, encoders())).rejects.toMatchObject({ code: 'ENCODER_MISMATCH' });

    // An encoder that has not learned yet gets back from the corpus what the adapter was trained on.
    const textEncoder = adaptedTextEncoder(encoders().textEncoder, adapter);
    await using again = await Corpus.open(kb, { textEncoder, imageEncoder });
    await using snapshot = await again.snapshot();
    const { vectors } = await textEncoder.encodeQueries(['the sea']);
    const hits = await snapshot.searchPassages(vectors, { k: 3 });
    const mapped = await textEncoder.encodePassages(PASSAGES);
    const best = matrixRow(mapped.vectors, hits.rows[0]!);
    expect(hits.scores[0]).toBeCloseTo(
      vectors.data.reduce((sum, x, i) => sum + x * best[i]!, 0),
      5,
    );

    const other = adaptedTextEncoder(encoders().textEncoder, both);
    const learned = fitted(['something else']).state();
    expect(() => (other as FittedTextEncoder).restore(learned)).toThrow(
      expect.objectContaining({ code: 'ENCODER_MISMATCH' }),
    );
    await expect((other as FittedTextEncoder).fit(['something else'])).rejects.toMatchObject({
      code: 'ENCODER_MISMATCH',
    });
  });

  it('says whether a corpus has to be encoded anew with it', async () => {
    const file = join(folder, 'query.safetensors');
    await saveAdapter(file, both);
    expect(await readCorpusAdapter(file)).toMatchObject({ ofDocuments: true });
    await saveAdapter(file, { ...both, document: undefined });
    expect(await readCorpusAdapter(file)).toMatchObject({ ofDocuments: false });
  });
});

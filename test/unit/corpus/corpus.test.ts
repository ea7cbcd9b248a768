import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { IngestProgress, Refusal } from '../../../src/corpus/ingest-report.js';
import type { CorpusLine } from '../../../src/corpus/records.js';
import { FakeTextEncoder, fakeEncoders } from './fake-encoders.js';
import { temporaryFolder } from './temporary-folder.js';

async function png(red: number, width = 8): Promise<Buffer> {
  const background = { r: red, g: 10, b: 20 };
  return sharp({ create: { width, height: 8, channels: 3, background } })
    .png()
    .toBuffer();
}

const lineOf = (id: string, image?: string): CorpusLine => ({
  entity: { id, title: id.toUpperCase(), ...(image !== undefined && { image }) },
  passages: [
    { id: `${id}#1`, text: `${id} one` },
    { id: `${id}#2`, text: `${id} two, longer` },
  ],
});

/** A folder with two images and a corpus file of the given lines. */
async function source(
  lines: readonly (CorpusLine | string)[],
): Promise<{ folder: string; file: string; kb: string }> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.png'), await png(100));
  writeFileSync(join(folder, 'b.png'), await png(200));
  const file = join(folder, 'corpus.jsonl');
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return { folder, file, kb: join(folder, 'kb') };
}

async function build(lines: readonly (CorpusLine | string)[]) {
  const places = await source(lines);
  const encoders = fakeEncoders();
  const corpus = await Corpus.create(places.kb, encoders);
  const report = await corpus.ingest(places.file);
  return { ...places, corpus, report, encoders };
}

const refusals = (report: { refused: readonly Refusal[] }) =>
  report.refused.map(({ line, code }) => [line, code]);

describe('ingest', () => {
  it('takes good lines and refuses bad ones by number and code, losing none', async () => {
    const { folder, file, kb } = await source([]);
    const truncated = (await png(1, 64)).subarray(0, 70);
    writeFileSync(join(folder, 'truncated.png'), truncated);
    writeFileSync(join(folder, 'text.png'), 'not an image');
    writeFileSync(join(folder, 'unlucky.png'), await png(50, 13));
    const lines = [
      JSON.stringify(lineOf('a', 'a.png')),
      '',
      '{"entity":',
      JSON.stringify(lineOf('b', 'missing.png')),
      JSON.stringify(lineOf('c', 'truncated.png')),
      JSON.stringify(lineOf('d', 'text.png')),
      JSON.stringify(lineOf('a')),
      JSON.stringify({ ...lineOf('e'), passages: [{ id: 'a#1', text: 'stolen' }] }),
      JSON.stringify(lineOf('f', 'unlucky.png')),
      JSON.stringify(lineOf('g', '.')),
      JSON.stringify({ entity: { id: 'h' }, passages: [] }),
      JSON.stringify(lineOf('b', 'b.png')),
      '   ',
      JSON.stringify(lineOf('z')),
    ];
    writeFileSync(file, lines.join('\r\n'));
    const corpus = await Corpus.create(kb, fakeEncoders());
    const heard: Refusal[] = [];
    const report = await corpus.ingest(file, { onRefused: (refusal) => heard.push(refusal) });
    expect(refusals(report)).toEqual([
      [3, 'CORPUS_LINE_INVALID'],
      [4, 'FILE_NOT_FOUND'],
      [5, 'IMAGE_UNREADABLE'],
      [6, 'IMAGE_UNREADABLE'],
      [7, 'DUPLICATE_ID'],
      [8, 'DUPLICATE_ID'],
      [9, 'IMAGE_UNREADABLE'],
      [10, 'IMAGE_UNREADABLE'],
      [11, 'CORPUS_LINE_INVALID'],
    ]);
    expect(report).toMatchObject({ taken: 3, entities: 3, passages: 6, images: 2 });
    expect(report.taken + report.refused.length).toBe(lines.filter((line) => line.trim() !== '').length);
    expect(heard.toSorted((a, b) => a.line - b.line)).toEqual(report.refused);
    expect(report.refused.map(({ id }) => id)).toEqual([undefined, 'b', 'c', 'd', 'a', 'e', 'f', 'g', 'h']);
    expect(corpus.entities.map(({ id }) => id)).toEqual(['a', 'b', 'z']);
    expect(readdirSync(join(kb, 'images'))).toHaveLength(2);
  });

  it('keeps nothing of a line that is refused', async () => {
    const { corpus } = await build([
      lineOf('a'),
      {
        entity: { id: 'b', title: 'B' },
        passages: [
          { id: 'b#1', text: 'x' },
          { id: 'a#1', text: 'y' },
        ],
      },
      { entity: { id: 'b', title: 'second B' }, passages: [{ id: 'b#1', text: 'z' }] },
    ]);
    expect(corpus.entityById('b')?.title).toBe('second B');
    expect(corpus.passages.map(({ text }) => text)).toEqual(['a one', 'a two, longer', 'z']);
  });

  it('takes lines from memory, and refuses those of a wrong shape', async () => {
    const corpus = await Corpus.create(join(temporaryFolder(), 'kb'), fakeEncoders());
    async function* lines() {
      yield lineOf('a');
      yield { entity: 'x' } as unknown as CorpusLine;
      yield lineOf('b');
    }
    const report = await corpus.ingest(lines());
    expect(refusals(report)).toEqual([[2, 'CORPUS_LINE_INVALID']]);
    expect(corpus.entities.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(corpus.entityVectors).toMatchObject({ rows: 0, columns: 3 });
  });

  it('takes an entity without passages', async () => {
    const { corpus } = await build([{ ...lineOf('a', 'a.png'), passages: [] }]);
    expect(corpus.passageVectors).toMatchObject({ rows: 0, columns: 4 });
    expect(corpus.picturedEntities).toHaveLength(1);
  });

  it.each([
    ['an empty file', ''],
    ['only bad lines', '{\n[]\n'],
  ])('reports %s as an empty corpus and leaves no folder', async (_, contents) => {
    const { file, kb, folder } = await source([]);
    writeFileSync(file, contents);
    const corpus = await Corpus.create(kb, fakeEncoders());
    await expect(corpus.ingest(file)).rejects.toMatchObject({ code: 'CORPUS_EMPTY' });
    expect(readdirSync(folder).toSorted()).toEqual(['a.png', 'b.png', 'corpus.jsonl']);
  });

  it('reports a corpus whose only image the encoder refuses as empty', async () => {
    const { folder, file, kb } = await source([lineOf('a', 'unlucky.png')]);
    writeFileSync(join(folder, 'unlucky.png'), await png(50, 13));
    const corpus = await Corpus.create(kb, fakeEncoders());
    await expect(corpus.ingest(file)).rejects.toMatchObject({
      code: 'CORPUS_EMPTY',
      details: { refused: 1 },
    });
  });

  it('reports a source that is not there', async () => {
    const corpus = await Corpus.create(join(temporaryFolder(), 'kb'), fakeEncoders());
    await expect(corpus.ingest('/nowhere/corpus.jsonl')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('stops when it is aborted, at every stage, and leaves nothing', async () => {
    for (const stage of ['lines', 'images', 'passages'] as const) {
      const { file, kb, folder } = await source([lineOf('a', 'a.png'), lineOf('b')]);
      const corpus = await Corpus.create(kb, fakeEncoders());
      const controller = new AbortController();
      const onProgress = (progress: IngestProgress) => progress.stage === stage && controller.abort();
      await expect(corpus.ingest(file, { signal: controller.signal, onProgress })).rejects.toMatchObject({
        code: 'ABORTED',
      });
      expect(readdirSync(folder).toSorted()).toEqual(['a.png', 'b.png', 'corpus.jsonl']);
    }
  });

  it('reports progress that ends with everything done', async () => {
    const { file, kb } = await source([lineOf('a', 'a.png'), lineOf('b')]);
    const last = new Map<string, IngestProgress>();
    const corpus = await Corpus.create(kb, fakeEncoders());
    await corpus.ingest(file, { onProgress: (progress) => last.set(progress.stage, progress) });
    expect([...last.values()]).toEqual([
      { stage: 'lines', done: 2, fraction: 1 },
      { stage: 'images', done: 1, fraction: 1 },
      { stage: 'passages', done: 4, fraction: 1 },
    ]);
  });

  it('can be tried again after it failed', async () => {
    const { file, kb } = await source([lineOf('a')]);
    const corpus = await Corpus.create(kb, fakeEncoders());
    await expect(corpus.ingest('/nowhere')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await corpus.ingest(file)).toMatchObject({ taken: 1 });
  });

  it('refuses a folder that holds something, and a second ingest', async () => {
    const { corpus, file, kb, folder } = await build([lineOf('a')]);
    await expect(corpus.ingest(file)).rejects.toMatchObject({ code: 'CORPUS_EXISTS' });
    await expect(Corpus.create(kb, fakeEncoders())).rejects.toMatchObject({ code: 'CORPUS_EXISTS' });
    await expect(Corpus.create(join(folder, 'a.png'), fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_EXISTS',
    });
  });

  it('reports a place where nothing can be written, and leaves no trace', async () => {
    const { file, folder } = await source([lineOf('a')]);
    const corpus = await Corpus.create(join(file, 'kb'), fakeEncoders());
    await expect(corpus.ingest(file)).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    expect(readdirSync(folder).toSorted()).toEqual(['a.png', 'b.png', 'corpus.jsonl']);
  });

  it('builds into an empty folder and below folders that are not there yet', async () => {
    const { file, folder } = await source([lineOf('a')]);
    mkdirSync(join(folder, 'empty'));
    for (const kb of ['empty', 'deep/er/kb']) {
      const corpus = await Corpus.create(join(folder, kb), fakeEncoders());
      await corpus.ingest(file);
      expect(statSync(join(folder, kb)).mode & 0o777).toBe(0o777 & ~process.umask());
    }
  });

  it('lets only one of two ingests into the same folder win', async () => {
    const { file, kb } = await source([lineOf('a')]);
    const corpora = await Promise.all([1, 2].map(() => Corpus.create(kb, fakeEncoders())));
    const ends = await Promise.allSettled(corpora.map((corpus) => corpus.ingest(file)));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'CORPUS_EXISTS' },
    });
    await Corpus.open(kb, fakeEncoders());
  });
});

describe('a corpus on disk', () => {
  it('comes back as it was built', async () => {
    const metadata = { region: 'Europe', nested: { codes: [1, null, 'ü'] } };
    const { corpus, kb } = await build([
      { ...lineOf('a', 'a.png'), metadata },
      lineOf('n'),
      lineOf('b', 'b.png'),
    ]);
    const encoders = fakeEncoders();
    const reopened = await Corpus.open(kb, encoders);
    expect(encoders.textEncoder.fitted).toBe(6);
    for (const field of [
      'entities',
      'passages',
      'entityVectors',
      'entityPatches',
      'patchQuads',
      'passageVectors',
    ] as const) {
      expect(reopened[field]).toEqual(corpus[field]);
    }
    expect(reopened.entityById('a')).toEqual({
      id: 'a',
      title: 'A',
      image: join(kb, 'images', '1.png'),
      metadata,
    });
    expect(reopened.picturedEntities.map(({ id }) => id)).toEqual(['a', 'b']);
    expect([...reopened.entityVectors.data]).toEqual([100, 10, 20, 200, 10, 20]);
    expect(reopened.entityPatches?.lengths).toEqual(Uint32Array.of(2, 2));
    expect(reopened.patchQuads).toHaveLength(32);
    expect([...reopened.passageVectors.data.slice(0, 4)]).toEqual([5, 97, 6, 0.5]);
    expect(reopened.imagePath('n')).toBeUndefined();
    expect(reopened.imagePath('nobody')).toBeUndefined();
  });

  it('stands alone: it can be moved, and its images no longer need the source', async () => {
    const { kb, folder } = await build([lineOf('a', 'a.png')]);
    const original = readFileSync(join(folder, 'a.png'));
    const moved = join(temporaryFolder(), 'moved');
    cpSync(kb, moved, { recursive: true });
    rmSync(folder, { recursive: true });
    const corpus = await Corpus.open(moved, fakeEncoders());
    expect(readFileSync(corpus.imagePath('a')!)).toEqual(original);
  });

  it('is not written to when it is read', async () => {
    const { kb } = await build([lineOf('a', 'a.png')]);
    const before = readdirSync(kb, { recursive: true });
    const corpus = await Corpus.open(kb, fakeEncoders());
    expect(readdirSync(kb, { recursive: true })).toEqual(before);
    expect(before).not.toContain('corpus.sqlite-wal');
    corpus.close();
    expect(() => corpus.entities).toThrow(expect.objectContaining({ code: 'INDEX_DISPOSED' }));
  });

  it('is reported as empty before the first ingest', async () => {
    const corpus = await Corpus.create(join(temporaryFolder(), 'kb'), fakeEncoders());
    expect(() => corpus.entities).toThrow(expect.objectContaining({ code: 'CORPUS_EMPTY' }));
  });

  it('is refused with another encoder', async () => {
    const { kb } = await build([lineOf('a', 'a.png')]);
    class Other extends FakeTextEncoder {
      override readonly version = '2';
    }
    class Wider extends FakeTextEncoder {
      override readonly dimension = 5;
    }
    for (const textEncoder of [new Other(), new Wider()]) {
      await expect(Corpus.open(kb, { ...fakeEncoders(), textEncoder })).rejects.toMatchObject({
        code: 'ENCODER_MISMATCH',
        details: { role: 'text' },
      });
    }
    const imageEncoder = Object.assign(fakeEncoders().imageEncoder, { patchDimension: 7 });
    await expect(Corpus.open(kb, { ...fakeEncoders(), imageEncoder })).rejects.toMatchObject({
      code: 'ENCODER_MISMATCH',
      details: { role: 'image' },
    });
  });

  it('is reported as not found where there is none', async () => {
    await expect(Corpus.open('/nowhere', fakeEncoders())).rejects.toMatchObject({ code: 'CORPUS_NOT_FOUND' });
    await expect(Corpus.open(temporaryFolder(), fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_NOT_FOUND',
    });
  });

  it('names the vector file in which a single bit was changed', async () => {
    const { kb } = await build([lineOf('a', 'a.png')]);
    for (const name of readdirSync(join(kb, 'vectors'))) {
      const path = join(kb, 'vectors', name);
      const bytes = readFileSync(path);
      const changed = Buffer.from(bytes);
      changed[changed.length - 3]! ^= 1;
      writeFileSync(path, changed);
      await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
        code: 'CORPUS_INVALID',
        message: expect.stringContaining(name),
      });
      writeFileSync(path, bytes);
    }
    await Corpus.open(kb, fakeEncoders());
  });

  it('names the vector file that is missing or cut short', async () => {
    const { kb } = await build([lineOf('a', 'a.png')]);
    const path = join(kb, 'vectors', '1-passages.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: path },
    });
    rmSync(path);
    await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: path },
    });
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut in half', (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ['not a database', () => Buffer.from('hello '.repeat(2000))],
    ['empty', () => Buffer.alloc(0)],
    [
      'of a later format',
      (bytes) => Buffer.concat([bytes.subarray(0, 60), Buffer.from([0, 0, 0, 9]), bytes.subarray(64)]),
    ],
  ])('names a database that is %s', async (_, damage) => {
    const many = Array.from({ length: 300 }, (_, i) => lineOf(`entity-${i}`));
    const { kb } = await build(many);
    const path = join(kb, 'corpus.sqlite');
    writeFileSync(path, damage(readFileSync(path)));
    await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: path },
    });
    expect(existsSync(path)).toBe(true);
  });
});

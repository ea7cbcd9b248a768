import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { IngestProgress, Refusal } from '../../../src/corpus/ingest-report.js';
import type { CorpusLine } from '../../../src/corpus/records.js';
import type { ImageInput } from '../../../src/encoders/encoder.js';
import { FakeImageEncoder, FakeTextEncoder, fakeEncoders } from './fake-encoders.js';
import { build, contents, lineOf, lookAt, png, refusals, source } from './small-corpus.js';
import { temporaryFolder } from './temporary-folder.js';

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
    expect(report).toMatchObject({ taken: 3, added: 3, replaced: 0, unchanged: 0 });
    expect(report).toMatchObject({ entities: 3, passages: 6, images: 2 });
    expect(report.taken + report.refused.length).toBe(lines.filter((line) => line.trim() !== '').length);
    expect(heard.toSorted((a, b) => a.line - b.line)).toEqual(report.refused);
    expect(report.refused.map(({ id }) => id)).toEqual([undefined, 'b', 'c', 'd', 'a', 'e', 'f', 'g', 'h']);
    expect((await contents(corpus)).entities).toEqual(['a', 'b', 'z']);
    await corpus.close();
    // What was stored for a line that was then refused goes when the corpus is opened the next time.
    const reopened = await Corpus.open(kb, fakeEncoders());
    expect(reopened.recovery.orphanImages).toBe(1);
    expect(imageFiles(kb)).toHaveLength(2);
    await reopened.close();
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
      { entity: { id: 'c', title: 'C' }, passages: [{ id: 'b#1', text: 'z' }] },
    ]);
    expect(await contents(corpus)).toEqual({
      entities: ['a', 'c'],
      found: ['a one', 'a two, longer', 'z'],
    });
    await corpus.close();
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
    expect((await contents(corpus)).entities).toEqual(['a', 'b']);
    await corpus.close();
  });

  it('takes an entity without passages', async () => {
    const { corpus } = await build([{ ...lineOf('a', 'a.png'), passages: [] }]);
    expect((await corpus.info()).counts).toMatchObject({ passages: 0, searchableImages: 1 });
    await corpus.close();
  });

  it.each([
    ['an empty file', ''],
    ['only bad lines', '{\n[]\n'],
  ])('reports %s as empty where the corpus holds nothing, and can go on', async (_, text) => {
    const { file, kb } = await source([]);
    writeFileSync(file, text);
    const corpus = await Corpus.create(kb, fakeEncoders());
    await expect(corpus.ingest(file)).rejects.toMatchObject({ code: 'CORPUS_EMPTY' });
    expect(await corpus.ingest([lineOf('a')])).toMatchObject({ taken: 1 });
    expect((await corpus.ingest([])).entities).toBe(1);
    await corpus.close();
  });

  it('reports a corpus whose only image the encoder refuses as empty', async () => {
    const { folder, file, kb } = await source([lineOf('a', 'unlucky.png')]);
    writeFileSync(join(folder, 'unlucky.png'), await png(50, 13));
    const corpus = await Corpus.create(kb, fakeEncoders());
    await expect(corpus.ingest(file)).rejects.toMatchObject({
      code: 'CORPUS_EMPTY',
      details: { refused: 1 },
    });
    await corpus.close();
  });

  it('reports a source that is not there', async () => {
    const corpus = await Corpus.create(join(temporaryFolder(), 'kb'), fakeEncoders());
    await expect(corpus.ingest('/nowhere/corpus.jsonl')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await corpus.close();
  });

  it.each(['lines', 'passages'] as const)(
    'that is aborted during %s keeps what was committed, and goes on when it is repeated',
    async (stage) => {
      const lines = Array.from({ length: 700 }, (_, i) => lineOf(`entity-${i}`));
      const { file, kb } = await source(lines);
      const corpus = await Corpus.create(kb, fakeEncoders());
      const controller = new AbortController();
      let done = 0;
      const onProgress = (progress: IngestProgress) => {
        if (progress.stage !== stage) return;
        done = progress.done;
        controller.abort();
      };
      await expect(corpus.ingest(file, { signal: controller.signal, onProgress })).rejects.toMatchObject({
        code: 'ABORTED',
      });
      const { counts } = await corpus.info();
      expect(done).toBeGreaterThan(0);
      expect(stage === 'lines' ? counts.entities : counts.searchablePassages).toBe(done);
      expect(await corpus.ingest(file)).toMatchObject({ taken: 700, unchanged: counts.entities });
      expect((await corpus.info()).counts).toMatchObject({ entities: 700, searchablePassages: 1400 });
      expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
      await corpus.close();
    },
  );

  it('reports progress that ends with everything done', async () => {
    const { file, kb } = await source([lineOf('a', 'a.png'), lineOf('b')]);
    const last = new Map<string, IngestProgress>();
    const corpus = await Corpus.create(kb, fakeEncoders());
    await corpus.ingest(file, { onProgress: (progress) => last.set(progress.stage, progress) });
    expect([...last.values()]).toEqual([
      { stage: 'lines', done: 2, fraction: 1, perSecond: expect.any(Number), secondsLeft: 0 },
      { stage: 'passages', done: 4, fraction: 1, perSecond: expect.any(Number), secondsLeft: 0 },
    ]);
    await corpus.close();
  });

  it('of the same source again changes nothing, and of a changed one only what changed', async () => {
    const { corpus, file, encoders } = await build([lineOf('a', 'a.png'), lineOf('b'), lineOf('c')]);
    const { version } = await corpus.info();
    const texts: string[] = [];
    const encode = encoders.textEncoder.encodePassages.bind(encoders.textEncoder);
    encoders.textEncoder.encodePassages = (batch) => {
      texts.push(...batch);
      return encode(batch);
    };
    expect(await corpus.ingest(file)).toMatchObject({ taken: 3, unchanged: 3, added: 0, replaced: 0 });
    expect((await corpus.info()).version).toBe(version);

    const changed = { ...lineOf('b'), passages: [{ id: 'b#1', text: 'b anew' }] };
    writeFileSync(
      file,
      [lineOf('a', 'a.png'), changed, lineOf('d')].map((line) => JSON.stringify(line)).join('\n'),
    );
    expect(await corpus.ingest(file)).toMatchObject({ taken: 3, unchanged: 1, added: 1, replaced: 1 });
    expect(texts).toEqual(['b anew', 'd one', 'd two, longer']);
    expect(await contents(corpus)).toEqual({
      entities: ['a', 'c', 'b', 'd'],
      found: ['a one', 'a two, longer', 'b anew', 'c one', 'c two, longer', 'd one', 'd two, longer'],
    });
    // The image's bytes count as much as the line.
    writeFileSync(file.replace('corpus.jsonl', 'a.png'), await png(7));
    expect(await corpus.ingest(file)).toMatchObject({ unchanged: 2, replaced: 1 });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
  });

  it('lets a line take an id that an earlier line of the source gave up, and no other', async () => {
    const one = (id: string, passage: string): CorpusLine => ({
      entity: { id, title: id },
      passages: [{ id: passage, text: `${passage} of ${id}` }],
    });
    const { corpus } = await build([one('a', 'x'), one('b', 'y')]);
    // a takes what b still has; b then gives it up; c takes what b gave up.
    const report = await corpus.ingest([one('a', 'y'), one('b', 'z'), one('c', 'y'), one('d', 'z')]);
    expect(refusals(report)).toEqual([
      [1, 'DUPLICATE_ID'],
      [4, 'DUPLICATE_ID'],
    ]);
    expect((await contents(corpus)).found).toEqual(['x of a', 'y of c', 'z of b']);
    await corpus.close();
  });

  it('fits an encoder once, to all passages of the first ingest', async () => {
    const { corpus, encoders, kb } = await build([lineOf('a'), lineOf('b')]);
    expect(encoders.textEncoder.fitted).toBe(4);
    await corpus.ingest([lineOf('c')]);
    expect(encoders.textEncoder.fitted).toBe(4);
    await corpus.close();
    const others = fakeEncoders();
    const reopened = await Corpus.open(kb, others);
    expect(others.textEncoder.fitted).toBe(4);
    await reopened.close();
  });

  it('encodes what an ingest left when its encoder failed', async () => {
    class Failing extends FakeTextEncoder {
      failing = true;
      override async encodePassages(texts: readonly string[]) {
        if (this.failing && texts.includes('b one')) throw new Error('no more');
        return super.encodePassages(texts);
      }
    }
    const { file, kb } = await source([lineOf('a'), lineOf('b')]);
    const textEncoder = new Failing();
    const corpus = await Corpus.create(kb, { ...fakeEncoders(), textEncoder });
    await expect(corpus.ingest(file)).rejects.toThrow('no more');
    expect((await corpus.info()).counts).toMatchObject({ passages: 4, searchablePassages: 0 });
    await corpus.close();
    const reopened = await Corpus.open(kb, fakeEncoders());
    await reopened.encodePending();
    expect((await contents(reopened)).found).toHaveLength(4);
    expect(await reopened.verify()).toMatchObject({ ok: true, problems: [] });
    await reopened.close();
  });

  it('fits an encoder of images too, and leaves without a vector what it then refuses', async () => {
    class Fitted extends FakeImageEncoder {
      seen: number | undefined;
      fit(images: Iterable<unknown>) {
        this.seen = [...images].length;
      }
      state() {
        return Uint8Array.of(this.seen!);
      }
      restore(state: Uint8Array) {
        this.seen = state[0];
      }
      override async encodeImages(images: readonly ImageInput[]) {
        if (this.seen === undefined) throw new Error('encoded before it was fitted');
        return super.encodeImages(images);
      }
    }
    const lines = [lineOf('a', 'a.png'), lineOf('u', 'unlucky.png'), lineOf('b', 'b.png')];
    const { folder, file, kb } = await source(lines);
    writeFileSync(join(folder, 'unlucky.png'), await png(50, 13));
    const imageEncoder = new Fitted();
    const corpus = await Corpus.create(kb, { ...fakeEncoders(), imageEncoder });
    const report = await corpus.ingest(file);
    expect(imageEncoder.seen).toBe(3);
    expect(refusals(report)).toEqual([[0, 'IMAGE_UNREADABLE']]);
    expect((await corpus.info()).counts).toMatchObject({ entities: 3, images: 3, searchableImages: 2 });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
    const again = new Fitted();
    const reopened = await Corpus.open(kb, { ...fakeEncoders(), imageEncoder: again });
    expect(again.seen).toBe(3);
    expect(await reopened.put(lineOf('c', join(folder, 'a.png')))).toBe('added');
    await expect(reopened.put(lineOf('d', join(folder, 'unlucky.png')))).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
    });
    await reopened.close();
  });

  it.each([
    ['another shape', (data: Float32Array) => data.subarray(1), 'LENGTH_MISMATCH'],
    ['a number that is not finite', (data: Float32Array) => data.fill(Number.NaN), 'NOT_FINITE'],
  ])('commits nothing of an encoder that gives %s', async (_, spoil, code) => {
    const { corpus, encoders } = await build([lineOf('a')]);
    const encode = encoders.textEncoder.encodePassages.bind(encoders.textEncoder);
    encoders.textEncoder.encodePassages = async (texts) => {
      const { vectors } = await encode(texts);
      return { vectors: { ...vectors, data: spoil(vectors.data) } };
    };
    await expect(corpus.ingest([lineOf('b')])).rejects.toMatchObject({ code });
    await expect(corpus.put(lineOf('b'))).rejects.toMatchObject({ code });
    expect((await contents(corpus)).entities).toEqual(['a']);
    await corpus.close();
  });

  it('refuses a folder that holds something', async () => {
    const { corpus, kb, folder } = await build([lineOf('a')]);
    await expect(Corpus.create(kb, fakeEncoders())).rejects.toMatchObject({ code: 'CORPUS_EXISTS' });
    await expect(Corpus.create(join(folder, 'a.png'), fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_EXISTS',
    });
    await corpus.close();
  });

  it('reports a place where nothing can be written, and leaves no trace', async () => {
    const { file, folder } = await source([lineOf('a')]);
    await expect(Corpus.create(join(file, 'kb'), fakeEncoders())).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
    });
    expect(readdirSync(folder).toSorted()).toEqual(['a.png', 'b.png', 'corpus.jsonl']);
  });

  it('makes a corpus in an empty folder and below folders that are not there yet', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'empty'));
    for (const kb of ['empty', 'deep/er/kb']) {
      const corpus = await Corpus.create(join(folder, kb), fakeEncoders());
      expect(statSync(join(folder, kb)).mode & 0o777).toBe(0o777 & ~process.umask());
      await corpus.close();
    }
    expect(readdirSync(folder).toSorted()).toEqual(['deep', 'empty']);
  });

  it('lets only one of two creations of the same folder win', async () => {
    const kb = join(temporaryFolder(), 'kb');
    const ends = await Promise.allSettled([1, 2].map(() => Corpus.create(kb, fakeEncoders())));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'CORPUS_EXISTS' },
    });
    for (const end of ends) if (end.status === 'fulfilled') await end.value.close();
  });

  it('stores documents whole and splits them into passages that know their place', async () => {
    const text = Array.from({ length: 60 }, (_, i) => `Sentence number ${i} says a little.`).join(' ');
    const { corpus } = await build([
      {
        entity: { id: 'a', title: 'A' },
        documents: [{ id: 'd', title: 'On A', text, metadata: { year: 1900 } }],
      },
    ]);
    await lookAt(corpus, async (snapshot) => {
      expect(await snapshot.document('d')).toEqual({
        id: 'd',
        entityId: 'a',
        title: 'On A',
        text,
        metadata: { year: 1900 },
      });
      const { text: _, ...head } = (await snapshot.document('d'))!;
      expect(await snapshot.documentHeads(['none', 'd', 'd'])).toEqual([head, head]);
      const passages = await snapshot.documentPassages('d');
      expect(passages.map(({ id }) => id)).toEqual(['d#1', 'd#2', 'd#3', 'd#4']);
      for (const { text: own, start, end, documentId } of passages) {
        expect([documentId, own]).toEqual(['d', `On A. ${text.slice(start, end)}`]);
      }
      expect(await snapshot.passage('d#2')).toEqual(passages[1]);
      expect(await snapshot.entityPassages('a')).toEqual(passages);
    });
    await corpus.close();
  });

  it('stores several images of an entity, each file once', async () => {
    const { corpus, kb } = await build([
      { ...lineOf('a', 'a.png'), images: [{ file: 'b.png' }, { id: 'own', file: 'a.png' }] },
      lineOf('b', 'b.png'),
    ]);
    await lookAt(corpus, async (snapshot) => {
      const images = await snapshot.entityImages('a');
      expect(images.map(({ id }) => id)).toEqual(['a', 'a#2', 'own']);
      expect(images.map(({ width, height }) => [width, height])).toEqual([
        [8, 8],
        [8, 8],
        [8, 8],
      ]);
      for (const { file } of images) expect(existsSync(file)).toBe(true);
      expect((await snapshot.entity('a'))?.image).toBe(images[0]!.file);
      expect(snapshot.counts.searchableImages).toBe(4);
    });
    expect(imageFiles(kb)).toHaveLength(2);
    await corpus.close();
  });
});

function imageFiles(kb: string): string[] {
  const names = readdirSync(join(kb, 'images'), { recursive: true }) as string[];
  return names.filter((name) => name.includes('.'));
}

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import { FakeTextEncoder, fakeEncoders } from './fake-encoders.js';
import { build, contents, lineOf, lookAt, source } from './small-corpus.js';
import { temporaryFolder } from './temporary-folder.js';

describe('a corpus on disk', () => {
  it('comes back as it was built', async () => {
    const metadata = { region: 'Europe', nested: { codes: [1, null, 'ü'] } };
    const { corpus, kb, folder } = await build([
      { ...lineOf('a', 'a.png'), metadata },
      lineOf('n'),
      lineOf('b', 'b.png'),
    ]);
    const look = (opened: Corpus) =>
      lookAt(opened, async (snapshot) => ({
        entities: await Promise.all(['a', 'n', 'b', 'nobody'].map((id) => snapshot.entity(id))),
        passages: await snapshot.passages([0, 1, 2, 3, 4, 5]),
        images: await snapshot.images([0, 1]),
        patches: await snapshot.imagePatches([1, 0]),
        owners: (await snapshot.entitiesOfImages([1, 0])).map(({ id }) => id),
      }));
    const before = await look(corpus);
    await corpus.close();
    const encoders = fakeEncoders();
    const reopened = await Corpus.open(kb, encoders);
    expect(encoders.textEncoder.fitted).toBe(6);
    expect(await look(reopened)).toEqual(before);

    const image = before.images[0]!;
    expect(before.entities[0]).toEqual({ id: 'a', title: 'A', image: image.file, metadata });
    expect(before.entities[1]).toEqual({ id: 'n', title: 'N' });
    expect(before.entities[3]).toBeUndefined();
    expect(before.passages.map(({ id }) => id)).toEqual(['a#1', 'a#2', 'n#1', 'n#2', 'b#1', 'b#2']);
    expect(before.owners).toEqual(['b', 'a']);
    expect(readFileSync(image.file)).toEqual(readFileSync(join(folder, 'a.png')));
    expect([...before.patches.patches.lengths]).toEqual([2, 2]);
    expect([...before.patches.patches.data]).toEqual([1, 1, 1, 2, 0, 1, 0, 2]);
    expect(before.patches.quads).toEqual(new Float32Array(32).fill(0.25));
    await reopened.close();
  });

  it('stands alone: it can be moved, and its images no longer need the source', async () => {
    const { corpus, kb, folder } = await build([lineOf('a', 'a.png')]);
    await corpus.close();
    const original = readFileSync(join(folder, 'a.png'));
    const moved = join(temporaryFolder(), 'moved');
    cpSync(kb, moved, { recursive: true });
    rmSync(folder, { recursive: true });
    const reopened = await Corpus.open(moved, fakeEncoders());
    const entity = await lookAt(reopened, (snapshot) => snapshot.entity('a'));
    expect(readFileSync(entity!.image!)).toEqual(original);
    await reopened.close();
  });

  it('is one database file, without a log, once it was closed; and reading leaves nothing behind', async () => {
    const { corpus, kb } = await build([lineOf('a', 'a.png')]);
    await corpus.close();
    const before = readdirSync(kb, { recursive: true }).toSorted();
    expect(before).not.toContain('corpus.sqlite-wal');
    const reader = await Corpus.open(kb, fakeEncoders(), { readOnly: true });
    expect((await contents(reader)).entities).toEqual(['a']);
    await reader.close();
    expect(readdirSync(kb, { recursive: true }).toSorted()).toEqual(before);
  });

  it('gives back the room of vectors that have left its database', async () => {
    const { file, kb } = await source(Array.from({ length: 3000 }, (_, i) => lineOf(`e${i}`)));
    const corpus = await Corpus.create(kb, fakeEncoders(), { journalBytes: 0 });
    await corpus.ingest(file);
    await corpus.close();
    const Database = createRequire(import.meta.url)('libsql');
    const database = new Database(join(kb, 'corpus.sqlite'));
    expect(database.prepare('PRAGMA freelist_count').all()).toEqual([{ freelist_count: 0 }]);
    expect(database.prepare('SELECT count(*) AS n FROM journal').all()).toEqual([{ n: 0 }]);
    database.close();
  });

  it('that was opened to be read only refuses changes', async () => {
    const { corpus, kb } = await build([lineOf('a')]);
    await corpus.close();
    const reader = await Corpus.open(kb, fakeEncoders(), { readOnly: true });
    for (const change of [
      () => reader.put(lineOf('b')),
      () => reader.ingest([lineOf('b')]),
      () => reader.delete({ entity: 'a' }),
      () => reader.compact(),
    ]) {
      await expect(change()).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    }
    await reader.close();
  });

  it('cannot be used once it was closed', async () => {
    const { corpus } = await build([lineOf('a')]);
    await Promise.all([corpus.close(), corpus.close()]);
    await expect(corpus.snapshot()).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    await expect(corpus.put(lineOf('b'))).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });

  it('is refused with another encoder', async () => {
    const { corpus, kb } = await build([lineOf('a', 'a.png')]);
    await corpus.close();
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

  it('can be searched and changed without encoders, but nothing can be encoded', async () => {
    const { corpus, kb } = await build([lineOf('a'), lineOf('b')]);
    await corpus.close();
    const opened = await Corpus.open(kb);
    expect(await opened.delete({ entity: 'a' })).toBe(true);
    expect((await contents(opened)).found).toEqual(['b one', 'b two, longer']);
    await expect(opened.put(lineOf('c'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await opened.close();
  });

  it('is reported as not found where there is none', async () => {
    await expect(Corpus.open('/nowhere', fakeEncoders())).rejects.toMatchObject({ code: 'CORPUS_NOT_FOUND' });
    await expect(Corpus.open(temporaryFolder(), fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_NOT_FOUND',
    });
  });

  it('names the index file in which a single bit was changed, or that is missing', async () => {
    const many = Array.from({ length: 40 }, (_, i) => lineOf(`e${i}`, i === 0 ? 'a.png' : undefined));
    const { file, kb } = await source(many);
    const corpus = await Corpus.create(kb, fakeEncoders(), { journalBytes: 0 });
    await corpus.ingest(file);
    await corpus.close();
    const segments = (readdirSync(join(kb, 'indexes'), { recursive: true }) as string[])
      .filter((name) => name.endsWith('.safetensors'))
      .map((name) => join(kb, 'indexes', name));
    expect(segments).toHaveLength(3);
    for (const path of segments) {
      const bytes = readFileSync(path);
      const changed = Buffer.from(bytes);
      changed[20]! ^= 1;
      for (const damage of [() => writeFileSync(path, changed), () => rmSync(path)]) {
        damage();
        await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
          code: 'CORPUS_INVALID',
          details: { file: path },
        });
      }
      // Vectors stay in the files and are checked when they are read; only verify reads all of them.
      changed[20]! ^= 1;
      changed[changed.length - 3]! ^= 1;
      writeFileSync(path, changed);
      const opened = await Corpus.open(kb, fakeEncoders()).catch((error: unknown) => error);
      if (opened instanceof Corpus) {
        const { ok, problems } = await opened.verify();
        expect([ok, problems.length > 0]).toEqual([false, true]);
        await opened.close();
      } else expect(opened).toMatchObject({ code: 'CORPUS_INVALID', details: { file: path } });
      writeFileSync(path, bytes);
    }
    const whole = await Corpus.open(kb, fakeEncoders());
    expect(await whole.verify()).toMatchObject({ ok: true });
    await whole.close();
    rmSync(join(kb, 'indexes', '1', 'images'), { recursive: true });
    await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: join(kb, 'indexes', '1') },
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
    const { corpus, kb } = await build(Array.from({ length: 300 }, (_, i) => lineOf(`entity-${i}`)));
    await corpus.close();
    const path = join(kb, 'corpus.sqlite');
    writeFileSync(path, damage(readFileSync(path)));
    await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({
      code: 'CORPUS_INVALID',
      details: { file: path },
    });
    expect(existsSync(path)).toBe(true);
  });

  it('deletes what former writers left, once, and says so', async () => {
    const { corpus, kb } = await build([lineOf('a', 'a.png'), lineOf('b', 'b.png')]);
    await corpus.delete({ entity: 'b' });
    await corpus.close();
    mkdirSync(join(kb, 'indexes', '7', 'passages'), { recursive: true });
    const reader = await Corpus.open(kb, fakeEncoders(), { readOnly: true });
    expect(reader.recovery).toMatchObject({ deletedGenerations: 0, orphanImages: 0 });
    await reader.close();
    const reopened = await Corpus.open(kb, fakeEncoders());
    expect(reopened.recovery).toMatchObject({ deletedGenerations: 1, orphanImages: 1 });
    expect(reopened.recovery.messages.join('\n')).toMatch(/1 folders of indexes.*\n1 image files/);
    expect(existsSync(join(kb, 'indexes', '7'))).toBe(false);
    expect(await reopened.verify()).toMatchObject({ ok: true, leftovers: [] });
    await reopened.close();
    const again = await Corpus.open(kb, fakeEncoders());
    expect(again.recovery).toMatchObject({ deletedGenerations: 0, orphanImages: 0 });
    await again.close();
  });

  it('deletes nothing while somebody else writes', async () => {
    const { corpus, kb } = await build([lineOf('a')]);
    let other: Corpus | undefined;
    async function* lines() {
      yield lineOf('b');
      mkdirSync(join(kb, 'indexes', '7'), { recursive: true });
      other = await Corpus.open(kb, fakeEncoders());
      await expect(other.put(lineOf('c'))).rejects.toMatchObject({ code: 'CORPUS_LOCKED' });
    }
    await corpus.ingest(lines());
    expect(other?.recovery.deletedGenerations).toBe(0);
    expect(existsSync(join(kb, 'indexes', '7'))).toBe(true);
    expect(await other?.put(lineOf('c'))).toBe('added');
    await other?.close();
    await corpus.close();
  });
});

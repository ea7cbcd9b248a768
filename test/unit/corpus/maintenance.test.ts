import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { ImageInput } from '../../../src/encoders/encoder.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { FakeImageEncoder, FakeTextEncoder, fakeEncoders } from './fake-encoders.js';
import { build, contents, foundTexts, lineOf, lookAt, png } from './small-corpus.js';

const sql = (kb: string, statement: string) => {
  const Database = createRequire(import.meta.url)('libsql');
  const database = new Database(join(kb, 'corpus.sqlite'));
  database.exec(statement);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
};

const files = (kb: string) =>
  (readdirSync(kb, { recursive: true }) as string[])
    .filter((name) => /\.(?:png|safetensors)$/.test(name))
    .map((name) => join(kb, name));

describe('compact', () => {
  it('drops what is dead, numbers the rest anew, and finds the same', async () => {
    const { corpus, kb } = await build([
      lineOf('a', 'a.png'),
      lineOf('b'),
      lineOf('c', 'b.png'),
      lineOf('d'),
    ]);
    await corpus.delete({ entity: 'a' });
    await corpus.put({ ...lineOf('b'), passages: [{ id: 'b#7', text: 'b anew' }] });
    await corpus.delete({ passage: 'd#1' });
    const search = () =>
      lookAt(corpus, async (snapshot) => {
        const hits = await snapshot.searchPassages(matrix(Float32Array.of(1, 2, 3, 4), 4), {
          k: 9,
          temperature: 1,
        });
        const images = await snapshot.searchImages(matrix(Float32Array.of(1, 1, 1), 3), { k: 9 });
        const { patches, quads } = await snapshot.imagePatches([...images.rows]);
        return {
          passages: await snapshot.passages([...hits.rows]),
          scores: hits.scores,
          probabilities: hits.probabilities,
          images: (await snapshot.images([...images.rows])).map(({ id, sha256 }) => [id, sha256]),
          patches,
          quads,
        };
      });
    const before = await search();
    expect(await corpus.info()).toMatchObject({ deadPassages: 5, deadImages: 1 });
    expect(await corpus.compact()).toEqual({ passages: 5, images: 1, imageFiles: 1 });
    expect(await search()).toEqual(before);
    expect(await corpus.info()).toMatchObject({ deadPassages: 0, deadImages: 0, journalBytes: 0 });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [], leftovers: [] });
    expect(readdirSync(join(kb, 'indexes'))).toEqual(['2']);
    expect(files(kb).filter((name) => name.endsWith('.png'))).toHaveLength(1);
    await corpus.put(lineOf('e'));
    await corpus.close();
    const reopened = await Corpus.open(kb, fakeEncoders());
    expect(reopened.recovery).toMatchObject({ journalRows: 2, deletedGenerations: 0 });
    expect((await contents(reopened)).found).toEqual([
      'b anew',
      'c one',
      'c two, longer',
      'd two, longer',
      'e one',
      'e two, longer',
    ]);
    expect(await reopened.verify()).toMatchObject({ ok: true });
    await reopened.close();
  });

  it('of a corpus without anything leaves one without anything', async () => {
    const { corpus } = await build([lineOf('a')]);
    await corpus.delete({ entity: 'a' });
    expect(await corpus.compact()).toEqual({ passages: 2, images: 0, imageFiles: 0 });
    expect(await corpus.verify()).toMatchObject({ ok: true, checked: { rows: 0 } });
    await corpus.put(lineOf('b'));
    expect((await contents(corpus)).found).toHaveLength(2);
    await corpus.close();
  });

  it('deletes image files that nobody knows of', async () => {
    const { corpus, kb } = await build([lineOf('a', 'a.png')]);
    const [known] = files(kb);
    const strange = known!.replace(/[0-9a-f]{64}/, (name) => `${name.slice(0, 2)}${'0'.repeat(62)}`);
    writeFileSync(strange, 'x');
    writeFileSync(`${known}.tmp`, 'x');
    expect((await corpus.verify()).leftovers.toSorted()).toEqual([strange, `${known}.tmp`].toSorted());
    expect((await corpus.compact()).imageFiles).toBe(1);
    expect([existsSync(strange), existsSync(`${known}.tmp`), existsSync(known!)]).toEqual([
      false,
      false,
      true,
    ]);
    await corpus.close();
  });
});

describe('reencode', () => {
  it('lets the encoder learn from everything, or takes another', async () => {
    class Wider extends FakeTextEncoder {
      override readonly name = 'wider';
      override readonly dimension = 5;
      override async encodePassages(texts: readonly string[]) {
        return { vectors: matrix(Float32Array.from(texts.flatMap((text) => [1, 2, 3, 4, text.length])), 5) };
      }
    }
    const { corpus, kb } = await build([lineOf('a', 'a.png'), lineOf('b')]);
    await corpus.put(lineOf('c', undefined));
    const former = await corpus.snapshot();
    const again = fakeEncoders();
    expect(await corpus.reencode(again)).toEqual({ passages: 6, images: 1, unencoded: [] });
    expect(again.textEncoder.fitted).toBe(6);
    expect((await contents(corpus)).found).toHaveLength(6);
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [], leftovers: [] });

    await corpus.reencode({ ...fakeEncoders(), textEncoder: new Wider() });
    expect(await foundTexts(former)).toHaveLength(6);
    await lookAt(corpus, async (snapshot) => {
      const hits = await snapshot.searchPassages(matrix(Float32Array.of(0, 0, 0, 0, 1), 5), { k: 1 });
      expect((await snapshot.passages([...hits.rows]))[0]?.text).toBe('a two, longer');
      expect((await snapshot.imagePatches([0])).quads).toHaveLength(16);
    });
    await corpus.put(lineOf('d'));
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [], leftovers: [] });
    await former.release();
    await corpus.close();
    await expect(Corpus.open(kb, fakeEncoders())).rejects.toMatchObject({ code: 'ENCODER_MISMATCH' });
    const reopened = await Corpus.open(kb, { ...fakeEncoders(), textEncoder: new Wider() });
    expect((await reopened.info()).counts.searchablePassages).toBe(8);
    await reopened.close();
  });

  it('that fails changes nothing, and the encoder is again what the corpus knows', async () => {
    const { corpus, encoders } = await build([lineOf('a'), lineOf('b')]);
    await corpus.put(lineOf('c'));
    const { version } = await corpus.info();
    const { textEncoder } = encoders;
    const encode = textEncoder.encodePassages.bind(textEncoder);
    textEncoder.encodePassages = async () => {
      throw new Error('no more');
    };
    await expect(corpus.reencode(encoders)).rejects.toThrow('no more');
    textEncoder.encodePassages = encode;
    expect(await corpus.put(lineOf('d'))).toBe('added');
    expect(textEncoder.fitted).toBe(4);
    expect((await contents(corpus)).found).toHaveLength(8);
    expect((await corpus.info()).version).toBeGreaterThan(version);
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [], leftovers: [] });
    await corpus.close();
  });

  it('keeps images that the encoder refuses, and says so', async () => {
    class Picky extends FakeImageEncoder {
      override async encodeImages(images: readonly ImageInput[]) {
        const found = await super.encodeImages(images);
        if (found.vectors.data.includes(200)) {
          const { GranuleError } = await import('../../../src/errors.js');
          throw new GranuleError('IMAGE_UNREADABLE', 'too red');
        }
        return found;
      }
    }
    const { corpus } = await build([lineOf('a', 'a.png'), lineOf('b', 'b.png'), lineOf('c', 'a.png')]);
    const imageEncoder = new Picky();
    const report = await corpus.reencode({ ...fakeEncoders(), imageEncoder });
    expect(report).toMatchObject({ images: 2, unencoded: [{ message: 'too red' }] });
    expect((await corpus.info()).counts).toMatchObject({ images: 3, searchableImages: 2 });
    await lookAt(corpus, async (snapshot) => {
      const hits = await snapshot.searchImages(matrix(Float32Array.of(1, 0, 0), 3), { k: 5 });
      expect((await snapshot.images([...hits.rows])).map(({ id }) => id)).toEqual(['a', 'c']);
    });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
  });
});

describe('verify', () => {
  it.each<[string, string, RegExp]>([
    ['a row that is nowhere', "DELETE FROM journal WHERE space = 'passages'", /are nowhere/],
    ['a passage too few', "DELETE FROM passages WHERE id = 'a#1'", /passages: .*instead of/],
    ['a row given twice', 'UPDATE passages SET row = 77 WHERE row = 0', /instead of 0/],
    ['a dead row that is used', "INSERT INTO dead VALUES ('passages', 0)", /rows that are dead/],
    ['places that do not fit the patches', "UPDATE images SET boxes = x'00'", /boxes/],
    ['an entity that is not there', 'PRAGMA foreign_keys = OFF; UPDATE images SET entity = 99', /not there/],
    [
      'an encoder whose state was changed',
      "UPDATE encoders SET state = x'07' WHERE role = 'text'",
      /checksum/,
    ],
    ['a passage outside of its document', 'UPDATE passages SET start = 5', /does not stand/],
  ])('names %s', async (_, statement, message) => {
    const { corpus, kb } = await build([lineOf('a', 'a.png'), lineOf('b')]);
    await corpus.close();
    sql(kb, statement);
    // Some of it is so plain that an opening finds it.
    const found = await Corpus.open(kb)
      .then(async (opened) => {
        const { ok, problems } = await opened.verify();
        await opened.close();
        return ok ? '' : problems.map(({ where, what }) => `${where}: ${what}`).join('\n');
      })
      .catch((error: Error) => `${error.message}: are nowhere`);
    expect(found).toMatch(message);
  });

  it('names an image that was changed, or is missing', async () => {
    const { corpus, kb } = await build([lineOf('a', 'a.png'), lineOf('b', 'b.png')]);
    const [one, two] = files(kb) as [string, string];
    const bytes = readFileSync(one);
    writeFileSync(one, await png(3));
    expect(await corpus.verify()).toMatchObject({
      ok: false,
      problems: [{ where: one, what: 'does not match its checksum' }],
    });
    writeFileSync(one, bytes);
    renameSync(two, `${two}.gone`);
    expect((await corpus.verify()).problems).toEqual([{ where: two, what: 'is missing or cannot be read' }]);
    rmSync(`${two}.gone`);
    await corpus.close();
  });
});

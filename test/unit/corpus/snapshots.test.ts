import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import { matrix } from '../../../src/vectors/matrix.js';
// @ts-expect-error: a script, which child processes run as it is
import * as changes from '../../runtime/scripts/corpus-changes.mjs';
import { fakeEncoders } from './fake-encoders.js';
import { build, contents, foundTexts, lineOf, lookAt } from './small-corpus.js';
import { temporaryFolder } from './temporary-folder.js';

const anyQuery = matrix(Float32Array.of(1, 0, 0, 0), 4);

describe('changes', () => {
  it('are there for the next snapshot, and what they replace is not', async () => {
    const { corpus } = await build([lineOf('a'), lineOf('b')]);
    expect(await corpus.put(lineOf('c'))).toBe('added');
    expect(await corpus.put(lineOf('c'))).toBe('unchanged');
    expect(await corpus.put({ ...lineOf('a'), passages: [{ id: 'a#9', text: 'a anew' }] })).toBe('replaced');
    expect(await contents(corpus)).toEqual({
      entities: ['b', 'c', 'a'],
      found: ['a anew', 'b one', 'b two, longer', 'c one', 'c two, longer'],
    });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
  });

  it('delete entities, documents, passages and images, and an equal line then brings the whole back', async () => {
    const line = {
      ...lineOf('a', 'a.png'),
      documents: [{ id: 'd', text: 'A document of one sentence.' }],
    };
    const { corpus, file } = await build([line, lineOf('b')]);
    expect(await corpus.delete({ passage: 'a#1' })).toBe(true);
    expect(await corpus.delete({ passage: 'a#1' })).toBe(false);
    expect(await corpus.delete({ document: 'd' })).toBe(true);
    expect(await corpus.delete({ image: 'a' })).toBe(true);
    expect(await corpus.delete({ entity: 'nobody' })).toBe(false);
    expect((await corpus.info()).counts).toMatchObject({ documents: 0, passages: 3, searchableImages: 0 });
    expect((await contents(corpus)).found).toEqual(['a two, longer', 'b one', 'b two, longer']);
    expect(await corpus.ingest(file)).toMatchObject({ replaced: 1, unchanged: 1 });
    expect((await corpus.info()).counts).toMatchObject({ documents: 1, passages: 5, searchableImages: 1 });
    expect(await corpus.delete({ entity: 'a' })).toBe(true);
    expect((await corpus.info()).counts).toMatchObject({ entities: 1, documents: 0, passages: 2, images: 0 });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
  });

  it.each([[{}], [{ entity: 'a', passage: 'b' }], [{ entity: 1 }], [{ row: 'a' }], [undefined]])(
    'refuse to delete %j',
    async (target) => {
      const { corpus } = await build([lineOf('a')]);
      await expect(corpus.delete(target as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await corpus.close();
    },
  );

  it('that cannot be made are refused with their reason, and change nothing', async () => {
    const { corpus } = await build([lineOf('a'), lineOf('b')]);
    const { version } = await corpus.info();
    const put = (line: object) => corpus.put(line as never);
    await expect(put({})).rejects.toMatchObject({ code: 'CORPUS_LINE_INVALID' });
    await expect(put(lineOf('c', '/nowhere.png'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    const stolen = { ...lineOf('c'), passages: [{ id: 'a#1', text: 'mine' }] };
    await expect(put(stolen)).rejects.toMatchObject({ code: 'DUPLICATE_ID', details: { owner: 'a' } });
    expect((await corpus.info()).version).toBe(version);
    await corpus.close();
  });

  it('run one after the other in the order of the calls', async () => {
    const { corpus } = await build([lineOf('a')]);
    const texts = ['first', 'second', 'third'];
    await Promise.all(texts.map((text) => corpus.put({ ...lineOf('a'), passages: [{ id: 'p', text }] })));
    expect((await contents(corpus)).found).toEqual(['third']);
    await corpus.close();
  });
});

describe('a snapshot', () => {
  it('stays as it was, whatever changes', async () => {
    const { corpus } = await build([lineOf('a', 'a.png'), lineOf('b')]);
    const before = await corpus.snapshot();
    const hits = await before.searchPassages(anyQuery, { k: 10 });
    await corpus.put({ ...lineOf('a'), passages: [] });
    await corpus.delete({ entity: 'b' });
    await corpus.put(lineOf('c'));
    const meanwhile = await corpus.snapshot();
    await corpus.compact();
    await corpus.put(lineOf('d'));

    expect(await before.searchPassages(anyQuery, { k: 10 })).toMatchObject({
      rows: hits.rows,
      scores: hits.scores,
    });
    expect(await foundTexts(before)).toEqual(['a one', 'a two, longer', 'b one', 'b two, longer']);
    expect((await before.entity('a'))?.image).toBeDefined();
    expect((await before.imagePatches([0])).patches.lengths).toHaveLength(1);
    expect(await foundTexts(meanwhile)).toEqual(['c one', 'c two, longer']);
    expect((await contents(corpus)).found).toEqual(['c one', 'c two, longer', 'd one', 'd two, longer']);
    expect(before.version).toBeLessThan(meanwhile.version);
    await before.release();
    await before.release();
    await meanwhile.release();
    await expect(before.entity('a')).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    expect(() => before.entities()).toThrow(expect.objectContaining({ code: 'INDEX_DISPOSED' }));
    await expect(before.searchPassages(anyQuery, { k: 1 })).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    await corpus.close();
  });

  it('of a version that others hold too does not end with the first release', async () => {
    const { corpus } = await build([lineOf('a', 'a.png')]);
    const [one, two] = await Promise.all([corpus.snapshot(), corpus.snapshot()]);
    await corpus.delete({ entity: 'a' });
    await corpus.compact();
    await one.release();
    expect(await foundTexts(two)).toEqual(['a one', 'a two, longer']);
    expect((await two.imagePatches([0])).patches.lengths).toHaveLength(1);
    await two.release();
    await corpus.close();
  });

  it('finds each passage by its own vector, also where it was taken in the middle of a change', async () => {
    const { textEncoder, imageEncoder } = changes.cheapEncoders();
    const corpus = await Corpus.create(join(temporaryFolder(), 'kb'), { textEncoder, imageEncoder });
    const line = (n: number) => ({
      entity: { id: `e${n % 12}`, title: 'E' },
      passages: Array.from({ length: 1 + (n % 3) }, (_, p) => ({
        id: `p${n}-${p}`,
        text: `Passage ${p} of ${n}`,
      })),
    });
    await corpus.put(line(0));
    let writing = true;
    const look = async () => {
      while (writing) {
        await lookAt(corpus, (snapshot) => changes.requireFindable(snapshot, textEncoder, imageEncoder));
      }
    };
    const looking = [look(), look()];
    for (let n = 1; n <= 60; n++) await corpus.put(line(n));
    writing = false;
    await Promise.all(looking);
    expect((await corpus.info()).counts.entities).toBe(12);
    await corpus.close();
  });

  it('shows what other objects and processes have committed and checkpointed', async () => {
    const { corpus, kb } = await build([lineOf('a')]);
    // Everything goes to the index folders at once, so that the journal tells the reader nothing.
    const other = await Corpus.open(kb, fakeEncoders(), { journalBytes: 0 });
    const reader = await Corpus.open(kb, fakeEncoders(), { readOnly: true });
    for (const [i, id] of ['b', 'c'].entries()) {
      await other.put(lineOf(id));
      expect((await contents(reader)).found).toHaveLength(4 + 4 * i);
      await corpus.put(lineOf(`${id}${id}`));
      expect((await contents(reader)).found).toHaveLength(6 + 4 * i);
    }
    const all = ['a', 'b', 'bb', 'c', 'cc'];
    for (const each of [corpus, other, reader]) {
      expect((await contents(each)).found).toEqual(all.flatMap((id) => [`${id} one`, `${id} two, longer`]));
    }
    await other.compact();
    expect(await corpus.put(lineOf('d'))).toBe('added');
    for (const each of [corpus, other, reader]) expect((await contents(each)).found).toHaveLength(12);
    expect(await reader.verify()).toMatchObject({ ok: true, problems: [] });
    await Promise.all([reader.close(), other.close(), corpus.close()]);
  });

  it('is there for a writer too that saves after another has saved what both knew', async () => {
    const { corpus, kb } = await build([lineOf('a')]);
    const other = await Corpus.open(kb, fakeEncoders(), { journalBytes: 0 });
    const ids = Array.from({ length: 40 }, (_, i) => `e${i}`);
    for (const id of ids) await corpus.put(lineOf(id));
    // The other one has these rows from the journal; at its end the first one moves them to the folders.
    expect((await contents(other)).found).toHaveLength(82);
    await corpus.close();
    expect(await other.put(lineOf('z'))).toBe('added');
    expect((await contents(other)).found).toHaveLength(84);
    expect(await other.info()).toMatchObject({ journalBytes: 0 });
    expect(await other.verify()).toMatchObject({ ok: true, problems: [] });
    await other.close();
  });

  it('tells another object that the encoder has learned meanwhile', async () => {
    const { corpus, kb } = await build([lineOf('a')]);
    const encoders = fakeEncoders();
    const reader = await Corpus.open(kb, encoders, { readOnly: true });
    await corpus.put(lineOf('b'));
    await corpus.reencode(fakeEncoders());
    await lookAt(reader, async ({ counts }) => expect(counts.searchablePassages).toBe(4));
    expect(encoders.textEncoder.fitted).toBe(4);
    await Promise.all([reader.close(), corpus.close()]);
  });

  it('finds only what a filter allows, with the k best of that', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => ({
      ...lineOf(`e${i}`),
      metadata: { i, even: i % 2 === 0 },
    }));
    const { corpus } = await build(lines);
    await corpus.delete({ entity: 'e4' });
    await lookAt(corpus, async (snapshot) => {
      const search = (filter: object, k = 100) =>
        snapshot.searchPassages(anyQuery, { k, filter: filter as never });
      const owners = async (filter: object) => {
        const passages = await snapshot.passages([...(await search(filter)).rows]);
        return [...new Set(passages.map(({ entityId }) => entityId))].sort();
      };
      expect(await owners({ i: { lt: 6 }, even: true })).toEqual(['e0', 'e2']);
      expect(await owners({ i: { in: [3, 4, 29] } })).toEqual(['e29', 'e3']);
      const none = await search({ i: 99 });
      expect([none.k, [...none.counts], none.rows.length]).toEqual([0, [0], 0]);
      const all = await snapshot.searchPassages(anyQuery, { k: 58 });
      const allowed = new Set((await search({ even: true })).rows);
      const expected = [...all.rows].filter((row) => allowed.has(row)).slice(0, 5);
      expect([...(await search({ even: true }, 5)).rows]).toEqual(expected);
      for (let i = 0; i < 12; i++) expect(await owners({ i: { in: [i, 20] } })).toContain('e20');
      expect(await owners({ i: { lt: 6 }, even: true })).toEqual(['e0', 'e2']);
      await expect(search({ i: { foo: 1 } })).rejects.toMatchObject({ code: 'METADATA_FILTER_INVALID' });
    });
    await corpus.close();
  });

  it('finds images by their vectors and by their patches', async () => {
    const { corpus } = await build([
      { ...lineOf('a', 'a.png'), metadata: { n: 1 } },
      { ...lineOf('b', 'b.png'), metadata: { n: 2 } },
    ]);
    await lookAt(corpus, async (snapshot) => {
      const query = matrix(Float32Array.of(1, 0, 0), 3);
      expect([...(await snapshot.searchImages(query, { k: 5 })).rows]).toEqual([1, 0]);
      const only = await snapshot.searchImages(query, { k: 5, filter: { n: 1 } });
      expect([...only.rows]).toEqual([0]);
      const patches = await snapshot.searchPatches(Float32Array.of(1, 0), { k: 5, explain: true });
      expect([...patches.rows]).toEqual([1, 0]);
      expect([...patches.matches(0, 0)!.vectors]).toEqual([0]);
      const candidates = Uint32Array.of(0);
      expect([...(await snapshot.searchPatches(Float32Array.of(1, 0), { k: 5, candidates })).rows]).toEqual([
        0,
      ]);
      const without = await snapshot.searchPatches(Float32Array.of(1, 0), { k: 5, filter: { n: 9 } });
      expect([without.queries, without.k, without.matches(0, 0)]).toEqual([1, 0, undefined]);
    });
    await corpus.close();
  });

  it('refuses rows that it does not have', async () => {
    const { corpus } = await build([lineOf('a'), lineOf('b')]);
    await corpus.delete({ entity: 'a' });
    await lookAt(corpus, async (snapshot) => {
      for (const row of [0, 4, -1, 0.5])
        await expect(snapshot.passages([row])).rejects.toMatchObject({ code: 'ROW_NOT_FOUND' });
      await expect(snapshot.images([0])).rejects.toMatchObject({ code: 'ROW_NOT_FOUND' });
      for (const k of [0, 1.5, Number.NaN])
        await expect(snapshot.searchPassages(anyQuery, { k })).rejects.toMatchObject({
          code: 'K_OUT_OF_RANGE',
        });
    });
    await corpus.close();
  });

  it('of an empty corpus finds nothing', async () => {
    const { corpus } = await build([{ entity: { id: 'a', title: 'A' }, passages: [] }]);
    await lookAt(corpus, async (snapshot) => {
      expect((await snapshot.searchPassages(anyQuery, { k: 3 })).counts).toEqual(Uint32Array.of(0));
      expect(await snapshot.documentPassages('nothing')).toEqual([]);
    });
    await corpus.close();
  });
});

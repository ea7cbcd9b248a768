import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { CorpusLine } from '../../../src/corpus/records.js';
import { fakeEncoders } from './fake-encoders.js';
import { build, contents, lineOf, lookAt } from './small-corpus.js';

const withDocuments = (id: string, ...documents: { id: string; title?: string; text: string }[]) => ({
  ...lineOf(id, 'a.png'),
  metadata: { of: id },
  documents,
});

/** What is stored of an entity. */
const stored = (corpus: Corpus, id: string) =>
  lookAt(corpus, async (snapshot) => ({
    entity: await snapshot.entity(id),
    passages: (await snapshot.entityPassages(id)).map((passage) => [passage.id, passage.text]).toSorted(),
    images: (await snapshot.entityImages(id)).map((image) => image.id),
  }));

describe('putDocument', () => {
  it('adds and replaces one document, and leaves the rest of its entity', async () => {
    const { corpus, kb } = await build([
      withDocuments('a', { id: 'd', text: 'The first.' }, { id: 'e', text: 'The other.' }),
      lineOf('b'),
    ]);
    const before = await stored(corpus, 'a');
    expect(await corpus.putDocument({ id: 'a' }, { id: 'd', text: 'The second.' })).toBe('replaced');
    expect(await corpus.putDocument({ id: 'a' }, { id: 'f', text: 'The third.', title: 'F' })).toBe('added');
    const { version } = await corpus.info();
    expect(await corpus.putDocument({ id: 'a' }, { id: 'f', text: 'The third.', title: 'F' })).toBe(
      'unchanged',
    );
    expect((await corpus.info()).version).toBe(version);
    const texts = new Map([...before.passages, ['f#1', 'F. The third.']] as [string, string][]);
    texts.set('d#1', 'A. The second.');
    expect(await stored(corpus, 'a')).toEqual({ ...before, passages: [...texts].toSorted() });
    expect((await contents(corpus)).found).toEqual([...texts.values(), 'b one', 'b two, longer'].toSorted());
    expect((await corpus.info()).counts).toMatchObject({ documents: 3, passages: 7, searchableImages: 1 });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
    const reopened = await Corpus.open(kb, fakeEncoders());
    expect((await contents(reopened)).found).toHaveLength(7);
    await reopened.close();
  });

  it('makes an entity that is new, and gives another title to one that is there, with all that it heads', async () => {
    const { corpus } = await build([
      withDocuments('a', { id: 'd', text: 'One.' }, { id: 'e', title: 'Own', text: 'Two.' }),
    ]);
    await expect(corpus.putDocument({ id: 'n' }, { id: 'x', text: 'Text.' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await corpus.putDocument({ id: 'n', title: 'New' }, { id: 'x', text: 'Text.' })).toBe('added');
    expect(await stored(corpus, 'n')).toMatchObject({ passages: [['x#1', 'New. Text.']], images: [] });
    expect(await corpus.putDocument({ id: 'a', title: 'Z' }, { id: 'f', text: 'Three.' })).toBe('added');
    expect(await stored(corpus, 'a')).toMatchObject({
      entity: { title: 'Z', metadata: { of: 'a' } },
      passages: [
        ['a#1', 'a one'],
        ['a#2', 'a two, longer'],
        ['d#1', 'Z. One.'],
        ['e#1', 'Own. Two.'],
        ['f#1', 'Z. Three.'],
      ],
    });
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
  });

  it('brings a deleted passage of the document back, and none of another', async () => {
    const { corpus } = await build([
      withDocuments('a', { id: 'd', text: 'One.' }, { id: 'e', text: 'Two.' }),
    ]);
    await corpus.delete({ passage: 'd#1' });
    await corpus.delete({ passage: 'e#1' });
    expect(await corpus.putDocument({ id: 'a' }, { id: 'd', text: 'One.' })).toBe('replaced');
    expect((await stored(corpus, 'a')).passages.map(([id]) => id)).toEqual(['a#1', 'a#2', 'd#1']);
    await corpus.close();
  });

  it('lets a line take the whole entity back', async () => {
    const line = withDocuments('a', { id: 'd', text: 'One.' });
    const { corpus, file } = await build([line]);
    await corpus.putDocument({ id: 'a' }, { id: 'e', text: 'Two.' });
    expect(await corpus.ingest(file)).toMatchObject({ replaced: 1 });
    expect((await corpus.info()).counts).toMatchObject({ documents: 1, passages: 3 });
    await corpus.close();
  });

  it.each<[string, string, object, string]>([
    ['whose id is another entity’s', 'b', { id: 'd', text: 'Mine.' }, 'DUPLICATE_ID'],
    ['whose passage has a taken id', 'b', { id: 'a', text: 'Mine.' }, 'DUPLICATE_ID'],
    ['without text', 'b', { id: 'x' }, 'CORPUS_LINE_INVALID'],
    ['of no entity', '', { id: 'x', text: 'Text.' }, 'CORPUS_LINE_INVALID'],
  ])('refuses a document %s, and changes nothing', async (_, entity, document, code) => {
    const { corpus } = await build([withDocuments('a', { id: 'd', text: 'One.' }), lineOf('b')]);
    const { version } = await corpus.info();
    await expect(corpus.putDocument({ id: entity }, document as never)).rejects.toMatchObject({ code });
    expect((await corpus.info()).version).toBe(version);
    await corpus.close();
  });

  it('keeps what another object changes of the entity before it, and lets none change it until it ends', async () => {
    const { corpus, encoders, kb } = await build([withDocuments('a', { id: 'd', text: 'One.' })]);
    const other = await Corpus.open(kb, fakeEncoders());
    const change = (): CorpusLine => ({
      ...lineOf('a'),
      documents: [
        { id: 'd', text: 'Changed.' },
        { id: 'o', text: 'Of the other.' },
      ],
      metadata: { changed: true },
    });
    // Between what putDocument reads and what it writes lies the encoding.
    const encode = encoders.textEncoder.encodePassages.bind(encoders.textEncoder);
    encoders.textEncoder.encodePassages = async (texts) => {
      await expect(other.put(change())).rejects.toMatchObject({ code: 'CORPUS_LOCKED' });
      return encode(texts);
    };
    expect(await corpus.putDocument({ id: 'a' }, { id: 'e', text: 'Two.' })).toBe('added');
    encoders.textEncoder.encodePassages = encode;
    await other.put(change());
    expect(await corpus.putDocument({ id: 'a' }, { id: 'e', text: 'Three.' })).toBe('added');
    expect(await stored(corpus, 'a')).toMatchObject({
      entity: { metadata: { changed: true } },
      passages: [
        ['a#1', 'a one'],
        ['a#2', 'a two, longer'],
        ['d#1', 'A. Changed.'],
        ['e#1', 'A. Three.'],
        ['o#1', 'A. Of the other.'],
      ],
    });
    await Promise.all([other.close(), corpus.close()]);
  });
});

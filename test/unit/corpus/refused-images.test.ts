import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import type { ImageInput } from '../../../src/encoders/encoder.js';
import { FakeImageEncoder, fakeEncoders } from './fake-encoders.js';
import { lineOf, png, refusals, source } from './small-corpus.js';

/** Learns how many images there are; refuses those of 13 pixels' width unless it is told not to, and counts their tries. */
class Fitted extends FakeImageEncoder {
  tries = 0;
  accepts = false;
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
    if (this.accepts) return super.encodeImages(await Promise.all(images.map(() => png(7))));
    return super.encodeImages(images).catch((error: unknown) => {
      this.tries += 1;
      throw error;
    });
  }
}

/** A corpus that was fitted with an image which its encoder then refused. */
async function withRefused() {
  const places = await source([lineOf('a', 'a.png'), lineOf('u', 'unlucky.png'), lineOf('b', 'b.png')]);
  const unlucky = join(places.folder, 'unlucky.png');
  writeFileSync(unlucky, await png(50, 13));
  const imageEncoder = new Fitted();
  const corpus = await Corpus.create(places.kb, { ...fakeEncoders(), imageEncoder });
  const report = await corpus.ingest(places.file);
  expect(refusals(report)).toEqual([[0, 'IMAGE_UNREADABLE']]);
  expect(imageEncoder.tries).toBeGreaterThan(0);
  imageEncoder.tries = 0;
  return { ...places, unlucky, imageEncoder, corpus };
}

const searchable = async (corpus: Corpus) => (await corpus.info()).counts.searchableImages;

describe('an image that the encoder refuses', () => {
  it('is not tried again with every change, in another object neither', async () => {
    const { corpus, imageEncoder, unlucky, kb, folder } = await withRefused();
    await corpus.put(lineOf('c', join(folder, 'a.png')));
    expect(await corpus.putDocument({ id: 'u' }, { id: 'd', text: 'Of the unlucky one.' })).toBe('added');
    expect((await corpus.ingest([lineOf('e')])).refused).toEqual([]);
    await expect(corpus.put(lineOf('v', unlucky))).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      message: 'thirteen pixels are unlucky',
    });
    expect(imageEncoder.tries).toBe(0);
    expect(await searchable(corpus)).toBe(3);
    await corpus.close();
    const again = new Fitted();
    const reopened = await Corpus.open(kb, { ...fakeEncoders(), imageEncoder: again });
    await reopened.put(lineOf('f', join(folder, 'b.png')));
    expect(again.tries).toBe(0);
    expect(await reopened.verify()).toMatchObject({ ok: true, problems: [] });
    await reopened.close();
  });

  it('is tried again when somebody asks for it', async () => {
    const { corpus, imageEncoder } = await withRefused();
    await corpus.encodePending();
    expect(imageEncoder.tries).toBeGreaterThan(0);
    imageEncoder.tries = 0;
    await corpus.put(lineOf('c'));
    expect(imageEncoder.tries).toBe(0);
    imageEncoder.accepts = true;
    await corpus.encodePending();
    expect(await searchable(corpus)).toBe(3);
    expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
    await corpus.close();
  });

  it('is tried again by a re-encoding, whose encoder may accept or refuse it', async () => {
    const { corpus } = await withRefused();
    const refusing = new Fitted();
    expect(await corpus.reencode({ ...fakeEncoders(), imageEncoder: refusing })).toMatchObject({
      images: 2,
      unencoded: [{ message: 'thirteen pixels are unlucky' }],
    });
    refusing.tries = 0;
    await corpus.put(lineOf('c'));
    expect(refusing.tries).toBe(0);
    const accepting = new Fitted();
    accepting.accepts = true;
    expect(await corpus.reencode({ ...fakeEncoders(), imageEncoder: accepting })).toMatchObject({
      images: 3,
      unencoded: [],
    });
    expect(await searchable(corpus)).toBe(3);
    await corpus.close();
  });

  it('leaves nothing once it was deleted and the corpus compacted; a corpus without such a list gets one', async () => {
    const { corpus, imageEncoder, kb, unlucky } = await withRefused();
    const database = new (createRequire(import.meta.url)('libsql'))(join(kb, 'corpus.sqlite'));
    const listed = () => database.prepare('SELECT count(*) AS n FROM refused_images').get().n;
    expect(listed()).toBe(1);
    await corpus.delete({ entity: 'u' });
    await corpus.compact();
    expect(listed()).toBe(0);
    await expect(corpus.put(lineOf('v', unlucky))).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' });
    expect(imageEncoder.tries).toBeGreaterThan(0);
    await corpus.close();
    database.exec('DROP TABLE refused_images');
    database.close();
    const reopened = await Corpus.open(kb, { ...fakeEncoders(), imageEncoder: new Fitted() });
    expect(await reopened.put(lineOf('w'))).toBe('added');
    await reopened.close();
  });
});

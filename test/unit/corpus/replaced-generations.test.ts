import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import { Connection, type Step } from '../../../src/corpus/database/database-thread.js';
import { IndexSet } from '../../../src/corpus/storage/index-set.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { FakeTextEncoder, fakeEncoders } from './fake-encoders.js';
import { build, lineOf } from './small-corpus.js';

class Wider extends FakeTextEncoder {
  override readonly name = 'wider';
  override readonly dimension = 5;
  override async encodePassages(texts: readonly string[]) {
    return { vectors: matrix(new Float32Array(texts.length * 5).fill(1), 5) };
  }
}

/** A promise, and what settles it. */
function gate() {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const wider = () => ({ ...fakeEncoders(), textEncoder: new Wider() });
const isStart = ([first]: readonly Step[]) => first?.sql === 'BEGIN';
const readsEncoders = (sql: string) => sql === 'SELECT * FROM encoders';

/** A corpus in generation 2, and a reader that has not opened that yet. */
async function twoObjects(readerEncoders?: ReturnType<typeof fakeEncoders>) {
  const { corpus, kb } = await build([lineOf('a', 'a.png'), lineOf('b')]);
  const reader = await Corpus.open(kb, readerEncoders, { readOnly: true });
  await corpus.compact();
  /** Encodes anew; of the former generation the files that `names` allows are still there, as in the middle of its deletion. */
  const reencode = async (encoders: ReturnType<typeof fakeEncoders>, names: (path: string) => boolean) => {
    const former = join(kb, 'indexes', '2');
    const copy = join(kb, 'copy');
    cpSync(former, copy, { recursive: true });
    await corpus.reencode(encoders);
    mkdirSync(dirname(former), { recursive: true });
    cpSync(copy, former, { recursive: true, filter: names });
  };
  return { corpus, reader, reencode };
}

/** Lets the first call of a connection's method with such an argument wait, once it has its answer, until `release` is called. */
function holdAnswer<Method extends 'run' | 'all'>(
  method: Method,
  which: (given: Parameters<Connection[Method]>[0]) => boolean,
) {
  const original = Connection.prototype[method] as (...given: unknown[]) => Promise<never>;
  const wait = gate();
  const answered = gate();
  const held = async function (this: Connection, ...given: unknown[]) {
    const isHeld = which(given[0] as Parameters<Connection[Method]>[0]);
    if (isHeld) spy.mockRestore();
    const results = await original.apply(this, given);
    if (isHeld) {
      answered.resolve();
      await wait.promise;
    }
    return results;
  };
  const spy = vi.spyOn(Connection.prototype, method as 'run').mockImplementation(held);
  return { release: wait.resolve, answered: answered.promise };
}

afterEach(() => void vi.restoreAllMocks());

describe('a snapshot that is taken while a rebuild replaces the indexes', () => {
  it('is one of the new generation where the former one is half deleted', async () => {
    const { corpus, reader, reencode } = await twoObjects();
    const open = IndexSet.open;
    const spy = vi.spyOn(IndexSet, 'open').mockImplementationOnce(async (...given) => {
      await reencode(wider(), (path) => !path.endsWith('.safetensors'));
      return open.apply(IndexSet, given);
    });
    const snapshot = await reader.snapshot();
    expect(spy).toHaveBeenCalledTimes(2);
    expect(snapshot.version).toBe((await corpus.info()).version);
    const hits = await snapshot.searchPassages(matrix(new Float32Array(5).fill(1), 5), { k: 9 });
    expect(hits.rows).toHaveLength(4);
    await snapshot.release();
    await Promise.all([reader.close(), corpus.close()]);
  });

  it('names what is missing where the generation is still the current one', async () => {
    const { corpus, reader } = await twoObjects();
    const open = IndexSet.open;
    vi.spyOn(IndexSet, 'open').mockImplementation(async (...given) => {
      await open.apply(IndexSet, given).then((opened) => opened.release());
      const { GranuleError } = await import('../../../src/errors.js');
      throw new GranuleError('CORPUS_INVALID', 'damaged');
    });
    await expect(reader.snapshot()).rejects.toMatchObject({ code: 'CORPUS_INVALID', message: 'damaged' });
    await Promise.all([reader.close(), corpus.close()]);
  });

  it('does not look in the former indexes for vectors of the new dimension', async () => {
    const { corpus, reader, reencode } = await twoObjects();
    const open = IndexSet.open;
    const opening = gate();
    const mayOpen = gate();
    vi.spyOn(IndexSet, 'open').mockImplementationOnce(async (...given) => {
      opening.resolve();
      await mayOpen.promise;
      return open.apply(IndexSet, given);
    });
    // The first one opens the former indexes, and the others wait for that.
    const first = reader.snapshot();
    await opening.promise;
    // The second one has read the former state, and no more.
    const second = holdAnswer('run', isStart);
    const late = reader.snapshot();
    await second.answered;
    await reencode(wider(), () => true);
    // The third one learns of the new encoder.
    const third = holdAnswer('all', readsEncoders);
    const newest = reader.snapshot();
    await third.answered;
    third.release();
    await setImmediate();
    second.release();
    await setImmediate();
    mayOpen.resolve();
    const snapshots = await Promise.all([first, late, newest]);
    const { version } = await corpus.info();
    expect(snapshots.map((snapshot) => snapshot.version - version)).toEqual([
      expect.any(Number),
      expect.any(Number),
      0,
    ]);
    await Promise.all(snapshots.map((snapshot) => snapshot.release()));
    await Promise.all([reader.close(), corpus.close()]);
  });

  it('does not take an encoder back to what it had learned before', async () => {
    const encoders = fakeEncoders();
    const { corpus, reader, reencode } = await twoObjects(encoders);
    await corpus.put(lineOf('c'));
    const held = holdAnswer('run', isStart);
    const late = reader.snapshot();
    await held.answered;
    expect(encoders.textEncoder.fitted).toBe(4);
    await reencode(fakeEncoders(), () => true);
    const newest = await reader.snapshot();
    expect(encoders.textEncoder.fitted).toBe(6);
    held.release();
    const snapshot = await late;
    expect(encoders.textEncoder.fitted).toBe(6);
    expect(snapshot.version).toBe(newest.version);
    await Promise.all([snapshot.release(), newest.release()]);
    await Promise.all([reader.close(), corpus.close()]);
  });
});

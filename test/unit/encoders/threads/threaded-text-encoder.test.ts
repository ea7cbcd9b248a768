import { afterAll, describe, expect, test } from 'vitest';
import type { DivisibleTextEncoder } from '../../../../src/encoders/encoder.js';
import { NgramTextEncoder } from '../../../../src/encoders/ngram/ngram-text-encoder.js';
import {
  type ThreadedTextEncoder,
  textEncoderInThreads,
} from '../../../../src/encoders/threads/threaded-text-encoder.js';
import { GranuleError } from '../../../../src/errors.js';
import type { ThreadSpec } from '../../../../src/threads/thread-spec.js';
import { expectSameBits } from './expect-same-bits.js';

const PASSAGES = Array.from(
  { length: 700 },
  (_, i) => `Thing ${i}. It has ${i * 7} parts, ${i % 13} doors, and stands near the river ${i % 5}.`,
);
const FIXTURE = new URL('fixture-encoder.mjs', import.meta.url).href;

const opened: ThreadedTextEncoder[] = [];
afterAll(() => Promise.all(opened.map((one) => one.close())));

/** The class of `fixture-encoder.mjs` in threads. */
function fixture(threads = 1, changes: Partial<ThreadSpec> & { version?: string } = {}): ThreadedTextEncoder {
  const { version = '1', ...spec } = changes;
  const encoder = textEncoderInThreads(
    {
      name: 'fixture',
      version,
      dimension: 2,
      spec: { module: FIXTURE, export: 'FixtureTextEncoder', options: {}, ...spec },
      encodeQueries: () => Promise.reject(new Error('on the calling thread')),
      encodePassages: () => Promise.reject(new Error('on the calling thread')),
    },
    { threads },
  );
  opened.push(encoder);
  return encoder;
}

describe('the n-gram encoder in threads', () => {
  const alone = new NgramTextEncoder({ dimension: 64 });
  alone.fit(PASSAGES);
  const threaded = textEncoderInThreads(new NgramTextEncoder({ dimension: 64 }), { threads: 3 });
  opened.push(threaded);

  test('learns the same bytes, from what is read meanwhile too', async () => {
    expect(threaded).toMatchObject({ name: 'ngram-text', version: '1', dimension: 64, threads: 3 });
    await threaded.fit(PASSAGES.slice(0, 10));
    expect(Buffer.compare(threaded.state(), alone.state())).not.toBe(0);
    await threaded.fit(PASSAGES);
    expect(Buffer.compare(threaded.state(), alone.state())).toBe(0);
    await threaded.fit(
      (async function* () {
        for (const passage of PASSAGES) {
          if (passage.startsWith('Thing 3')) await new Promise(setImmediate);
          yield passage;
        }
      })(),
    );
    expect(Buffer.compare(threaded.state(), alone.state())).toBe(0);
  });

  test.each([0, 1, 5, 64, 700])('encodes %i texts to the same bits', async (count) => {
    const texts = PASSAGES.slice(0, count);
    expectSameBits(await threaded.encodePassages(texts), await alone.encodePassages(texts));
    expectSameBits(await threaded.encodeQueries(texts), await alone.encodeQueries(texts));
  });

  test('takes along what was learned before, and what is restored', async () => {
    const before = textEncoderInThreads(alone, { threads: 2 });
    opened.push(before);
    expectSameBits(await before.encodeQueries(['doors']), await alone.encodeQueries(['doors']));
    const other = new NgramTextEncoder({ dimension: 64 });
    other.fit(['doors and rivers', 'rivers']);
    before.restore(other.state());
    expectSameBits(await before.encodeQueries(['doors rivers']), await other.encodeQueries(['doors rivers']));
    expect(() => before.restore(new Uint8Array(9))).toThrow(
      expect.objectContaining({ code: 'CORPUS_INVALID' }),
    );
    expectSameBits(await before.encodeQueries(['doors rivers']), await other.encodeQueries(['doors rivers']));
  });

  test('refuses what the encoder refuses, and stops a fit that is aborted', async () => {
    const fresh = textEncoderInThreads(new NgramTextEncoder(), { threads: 1 });
    opened.push(fresh);
    await expect(fresh.encodeQueries(['x'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(fresh.fit([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const controller = new AbortController();
    const endless = function* () {
      for (let i = 0; ; i++) {
        if (i === 5000) controller.abort();
        yield PASSAGES[i % 700]!;
      }
    };
    await expect(fresh.fit(endless(), { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await fresh.fit(['a b']);
    const lone = new NgramTextEncoder();
    lone.fit(['a b']);
    expect(Buffer.compare(fresh.state(), lone.state())).toBe(0);
  });
});

describe('calls', () => {
  test('come back in order, and no thread is given more than two at once', async () => {
    const encoder = fixture(2);
    const texts = Array.from({ length: 300 }, (_, i) => (i % 9 === 0 ? 'turn' : 'x'.repeat(i)));
    const { data } = (await encoder.encodePassages(texts)).vectors;
    expect(Array.from(texts, (_, i) => data[i * 2])).toEqual(texts.map(({ length }) => length));
    expect(Math.max(...texts.map((_, i) => data[i * 2 + 1]!))).toBe(2);
  });

  test('run in threads whose young generation is bounded', async () => {
    const { data } = (await fixture().encodePassages(['limits'])).vectors;
    expect(data[1]).toBe(6);
  });

  test('go to an idle thread where there is one', async () => {
    const encoder = fixture(2);
    const controller = new AbortController();
    const first = encoder.encodePassages(['turn']);
    const second = encoder.encodePassages(['wait'], { signal: controller.signal });
    await first;
    for (const _ of [1, 2, 3]) expect((await encoder.encodePassages(['x'])).vectors.data[1]).toBe(1);
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('of other callers are not kept waiting by a large batch', async () => {
    const encoder = fixture(1);
    await encoder.encodeQueries(['start']);
    let large = false;
    const all = encoder.encodePassages(new Array(640).fill('turn')).then(() => {
      large = true;
    });
    await encoder.encodeQueries(['quick']);
    expect(large).toBe(false);
    await all;
  });

  test('that throw reject with the same class and message', async () => {
    const error = await fixture()
      .encodePassages(['type error'])
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'no such thing' });
  });

  test('are aborted at once, waiting or under way, and leave the threads in order', async () => {
    const encoder = fixture(1);
    for (const text of ['wait', 'long']) {
      const controller = new AbortController();
      const { signal } = controller;
      const calls = Array.from({ length: 4 }, () => encoder.encodePassages([text], { signal }));
      setTimeout(() => controller.abort(new Error('enough')), 20);
      for (const call of calls) {
        const error = await call.catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
      }
      expect((await encoder.encodePassages(['four'])).vectors.data[0]).toBe(4);
    }
    await expect(encoder.encodePassages(['x'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('a thread that dies', () => {
  test.each([
    ['exit', /ended unexpectedly \(exit code 7\)/],
    ['crash', /ended unexpectedly \(exit code 1: crashed\)/],
  ])('by %s fails its calls and is replaced', async (text, message) => {
    const encoder = fixture(1);
    const [dead, beside] = await Promise.allSettled([
      encoder.encodePassages([text]),
      encoder.encodePassages(['wait']),
    ]);
    for (const { reason } of [dead, beside] as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(GranuleError);
      expect(reason).toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(message) });
    }
    expect((await encoder.encodePassages(['four'])).vectors.data[0]).toBe(4);
  });

  test('is given what was learned when it is replaced', async () => {
    let learned = 0;
    const encoder = textEncoderInThreads(
      {
        name: 'fixture',
        version: '1',
        dimension: 2,
        spec: { module: FIXTURE, export: 'FixtureFittedEncoder', options: {} },
        encodeQueries: () => Promise.reject(new Error('on the calling thread')),
        encodePassages: () => Promise.reject(new Error('on the calling thread')),
        fit: (passages) => {
          learned = [...passages].length;
        },
        state: () => Uint8Array.of(learned),
        restore: (state) => {
          learned = state[0]!;
        },
      },
      { threads: 1 },
    );
    opened.push(encoder);
    const [first] = await Promise.all([encoder.encodePassages(['a']), encoder.fit(PASSAGES.slice(0, 12))]);
    expect(first.vectors.data[1]).toBe(0);
    expect((await encoder.encodePassages(['a'])).vectors.data[1]).toBe(12);
    await expect(encoder.encodePassages(['exit'])).rejects.toMatchObject({ code: 'INTERNAL' });
    expect((await encoder.encodePassages(['a'])).vectors.data[1]).toBe(12);
    encoder.restore(Uint8Array.of(5));
    expect((await encoder.encodePassages(['a'])).vectors.data[1]).toBe(5);
  });

  test('takes a fit with it, and the next one begins anew', async () => {
    const notHere = () => {
      throw new Error('on the calling thread');
    };
    const divisible: DivisibleTextEncoder = {
      name: 'fixture',
      version: '1',
      dimension: 2,
      spec: { module: FIXTURE, export: 'FixtureFittedEncoder', options: {} },
      encodeQueries: notHere,
      encodePassages: notHere,
      fit: notHere,
      learner: notHere,
      fitParts: notHere,
      restore: notHere,
      state: () => Uint8Array.of(0),
    };
    const encoder = textEncoderInThreads(divisible, { threads: 2 });
    opened.push(encoder);
    const passages = new Array<string>(240).fill('a');
    await encoder.fit(passages);
    expect(encoder.state()).toEqual(Uint8Array.of(240));
    await expect(encoder.fit([...passages, 'exit', ...passages])).rejects.toMatchObject({ code: 'INTERNAL' });
    expect((await encoder.encodePassages(['a'])).vectors.data[1]).toBe(240);
    await encoder.fit(passages.slice(100));
    expect(encoder.state()).toEqual(Uint8Array.of(140));
    expect((await encoder.encodePassages(['a'])).vectors.data[1]).toBe(140);
    // Two at once do not mix.
    await Promise.all([encoder.fit(passages), encoder.fit(passages.slice(0, 3))]);
    expect([240, 3]).toContain(encoder.state()[0]);
  });

  test('has no part in what is refused before it is sent', async () => {
    const encoder = fixture(1);
    const noText = { toString: () => 'x' } as unknown as string;
    await expect(encoder.encodePassages([noText])).rejects.toMatchObject({ name: 'DataCloneError' });
    expect((await encoder.encodePassages(['four'])).vectors.data[0]).toBe(4);
  });
});

describe('a spec', () => {
  test.each([
    [{ module: 'file:///no/such/module.mjs' }, /cannot import file:\/\/\/no\/such\/module.mjs/],
    [{ export: 'NoSuchEncoder' }, /exports no class NoSuchEncoder/],
    [{ export: 'notAClass' }, /exports no class notAClass/],
    [{ version: '2' }, /the spec of fixture makes something else: .*"version":"1"/],
  ])('that does not make the encoder is refused: %j', async (changes, message) => {
    const encoder = fixture(1, changes);
    for (const _ of [1, 2]) {
      await expect(encoder.encodeQueries(['x'])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      });
    }
  });

  test('that is missing leaves the work on the calling thread', async () => {
    const alone = new NgramTextEncoder();
    const { name, version, dimension } = alone;
    const encoder = textEncoderInThreads({
      name,
      version,
      dimension,
      encodeQueries: (texts) => alone.encodeQueries(texts),
      encodePassages: (texts) => alone.encodePassages(texts),
    });
    expect(encoder.threads).toBe(0);
    expect('fit' in encoder).toBe(false);
    await expect(encoder.encodeQueries(['x'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    alone.fit(PASSAGES);
    expectSameBits(await encoder.encodeQueries(['doors']), await alone.encodeQueries(['doors']));
    await encoder.close();
  });

  test.each([0, 1.5, Number.NaN])('is not served by %d threads', (threads) => {
    expect(() => textEncoderInThreads(new NgramTextEncoder(), { threads })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

test('after close nothing is encoded, and what ran is rejected', async () => {
  const encoder = fixture(1);
  const calls = Array.from({ length: 4 }, () => encoder.encodePassages(['wait']));
  const settled = Promise.allSettled(calls);
  await new Promise((resume) => setTimeout(resume, 50));
  await encoder.close();
  for (const result of await settled) expect(result).toMatchObject({ reason: { code: 'ENCODER_CLOSED' } });
  await expect(encoder.encodePassages(['x'])).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
  await encoder.close();
});

/** Misuse is answered by the right error, and nothing is lost by a refusal: the index works on afterwards. */
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, GranuleError } from '../../src/index.js';
import { flat, floats, MISUSES, multi, wrong } from './misuses.js';
import { SOFTMAX_MISUSES } from './softmax-misuses.js';
import { STORED_ROWS_MISUSES } from './stored-rows-misuses.js';

describe('misuse of the engine', () => {
  it.each([...MISUSES, ...SOFTMAX_MISUSES, ...STORED_ROWS_MISUSES])(
    '$what: $code',
    async ({ code, run, details, message }) => {
      const [flatIndex, multiIndex] = await Promise.all([flat(), multi()]);
      let error: unknown;
      try {
        await run(flatIndex, multiIndex);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(GranuleError);
      const granuleError = error as GranuleError;
      expect(granuleError.code).toBe(code);
      expect(granuleError.name).toBe('GranuleError');
      expect(granuleError.message).not.toBe('');
      if (details) expect(granuleError.details).toMatchObject(details);
      if (message) expect(granuleError.message).toMatch(message);

      expect(flatIndex.rows).toBe(10);
      expect(multiIndex.rows).toBe(3);
      expect(await flatIndex.add(floats(4))).toBe(10);
      expect(await multiIndex.add(floats(4), Uint32Array.of(1))).toBe(3);
      expect((await flatIndex.search(floats(4), { k: 11 })).counts[0]).toBe(11);
    },
  );

  it('methods of an index reject, they do not throw', async () => {
    const index = await flat();
    const promises = [index.add(wrong(null)), index.search(wrong(null), wrong(undefined))];
    for (const promise of promises) await expect(promise).rejects.toBeInstanceOf(GranuleError);
  });
});

describe('GranuleError', () => {
  it('carries code, details and cause', () => {
    const cause = new Error('disk');
    const error = new GranuleError('INTERNAL', 'broken', { row: 3 }, { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'INTERNAL', message: 'broken', details: { row: 3 }, cause });
    expect(new GranuleError('INTERNAL', 'x').details).toEqual({});
  });

  it('no code is listed twice', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { FlatIndex, MultiVectorIndex } from '../../src/index.js';
import { buildPackage, runScript } from './built-package.js';

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('memory');
}, 120_000);

describe('memory', () => {
  it('is reported by the index, without more than growth needs', async () => {
    const data = new Float32Array(4_000_000).fill(0.25);
    const index = new FlatIndex({ dimension: 400 });
    expect(index.bytes).toBe(0);
    await index.add(data);
    expect(index.bytes).toBeGreaterThanOrEqual(data.byteLength);
    expect(index.bytes).toBeLessThan(2.5 * data.byteLength);
    index.dispose();
    expect(index.bytes).toBe(0);
  });

  it('that is reserved is counted and there, and is what rows then use', async () => {
    const measured = await runScript<Record<string, number> & { firsts: number[] }>('reserved.mjs', [
      packageUrl,
    ]);
    expect(measured.firsts).toEqual(Array.from({ length: 10 }, (_, i) => i * 10_000));
    for (const share of ['bytes', 'bytesAfter', 'resident']) {
      expect(measured[share], share).toBeGreaterThan(0.9);
      expect(measured[share], share).toBeLessThan(1.1);
    }
    expect(measured['grown']).toBeLessThan(0.1);
  });

  it('is given back by dispose', async () => {
    const { whole, full, after } = await runScript<{ whole: number; full: number; after: number }>(
      'disposed.mjs',
      [packageUrl],
    );
    expect(full).toBeGreaterThan(0.9 * whole);
    expect(after).toBeLessThan(0.3 * whole);
  });

  it('of forgotten indexes is freed by the garbage collector, which knows how much there is', async () => {
    const { whole, peak, found } = await runScript<{ whole: number; peak: number; found: number }>(
      'forgotten.mjs',
      [packageUrl],
    );
    expect(peak).toBeLessThan(whole / 4);
    expect(found).toBe(600);
  }, 60_000);

  it('is freed at the end of using and await using', async () => {
    const outer: { flat?: FlatIndex; multi?: MultiVectorIndex } = {};
    {
      using flat = new FlatIndex({ dimension: 2 });
      await using multi = new MultiVectorIndex({ dimension: 2 });
      await flat.add(Float32Array.of(1, 2));
      await multi.add(Float32Array.of(1, 2), Uint32Array.of(1));
      outer.flat = flat;
      outer.multi = multi;
      expect([flat.rows, multi.rows]).toEqual([1, 1]);
    }
    expect([outer.flat!.rows, outer.flat!.bytes]).toEqual([0, 0]);
    expect([outer.multi!.rows, outer.multi!.bytes]).toEqual([0, 0]);
    await expect(outer.flat!.search(Float32Array.of(1, 2), { k: 1 })).rejects.toMatchObject({
      code: 'INDEX_DISPOSED',
    });
  });
});

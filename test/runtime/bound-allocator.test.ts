import { beforeAll, expect, test } from 'vitest';
import { buildPackage, runScript } from './built-package.js';

interface Measured {
  readonly bounded: boolean;
  /** Resident bytes of 100 arrays of 1 MiB, and how many of them went back to the system when they were freed. */
  readonly added: number;
  readonly back: number;
}

const { glibcVersionRuntime } = (
  process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
).header;
const ARRAYS = 100 * 2 ** 20;

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('bound-allocator');
}, 120_000);

const measured = (bounded: boolean) =>
  runScript<Measured>('freed-blocks.mjs', [packageUrl, String(bounded)], {
    flags: ['--expose-gc'],
  });

test('a bounded allocator gives arrays back to the system, which glibc left alone keeps', async () => {
  const [kept, freed] = [await measured(false), await measured(true)];
  expect(freed.bounded).toBe(glibcVersionRuntime !== undefined);
  expect(kept.added).toBeGreaterThan(0.9 * ARRAYS);
  if (!freed.bounded) {
    console.log('not compared: the C library is not glibc');
    return;
  }
  expect(freed.added).toBeGreaterThan(0.9 * ARRAYS);
  expect(freed.back).toBeGreaterThan(0.9 * ARRAYS);
  expect(kept.back).toBeLessThan(0.5 * ARRAYS);
});

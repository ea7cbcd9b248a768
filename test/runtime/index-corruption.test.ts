/** Damaged index files: bytes changed in turn, truncations. Each is an error that names the file, or harmless. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FlatIndex, GranuleError, MultiVectorIndex } from '../../src/index.js';
import { Seeded } from '../conformance/seeded.js';

const root = mkdtempSync(path.join(tmpdir(), 'granule-corruption-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const DIMENSION = 3;
const seeded = new Seeded(31);
const query = seeded.normal(2 * DIMENSION);

type Index = FlatIndex | MultiVectorIndex;

interface Subject {
  name: string;
  make: () => Promise<Index>;
  /** What is added before the second save, which makes a second segment. */
  grow: (index: never) => Promise<unknown>;
  open: (folder: string, mmap: boolean) => Promise<Index>;
}

const SUBJECTS: Subject[] = [
  {
    name: 'vectors, squared distance, biases',
    make: async () => {
      const index = new FlatIndex({ dimension: DIMENSION, metric: 'l2' });
      await index.add(seeded.normal(21 * DIMENSION), { biases: seeded.normal(21) });
      return index;
    },
    grow: (index: FlatIndex) => index.add(seeded.normal(17 * DIMENSION)),
    open: (folder, mmap) => FlatIndex.open(folder, { mmap, threads: 1 }),
  },
  {
    name: 'documents in float16',
    make: async () => {
      const index = new MultiVectorIndex({ dimension: DIMENSION, dtype: 'f16' });
      await index.add(seeded.normal(20 * DIMENSION), Uint32Array.of(9, 1, 10));
      return index;
    },
    grow: (index: MultiVectorIndex) => index.add(seeded.normal(5 * DIMENSION), Uint32Array.of(2, 3)),
    open: (folder, mmap) => MultiVectorIndex.open(folder, { mmap, threads: 1 }),
  },
];

async function results(index: Index): Promise<string> {
  const hits = await index.search(query, { k: index.rows });
  return JSON.stringify([index.rows, index.removedRows, [...hits.counts], [...hits.rows], [...hits.scores]]);
}

/** The results of a folder, or the error that opening or searching it ended with. */
async function outcome(subject: Subject, folder: string, mmap: boolean): Promise<string | GranuleError> {
  let index: Index | undefined;
  try {
    index = await subject.open(folder, mmap);
    return await results(index);
  } catch (error) {
    if (error instanceof GranuleError) return error;
    throw error;
  } finally {
    index?.dispose();
  }
}

function expectErrorOrHarmless(
  found: string | GranuleError,
  expected: string,
  what: string,
  file: string,
): boolean {
  if (found === expected) return false;
  if (!(found instanceof GranuleError)) expect.fail(`${what}: a wrong result, and no error`);
  // A folder without a manifest is no index.
  expect(
    ['INDEX_CORRUPT', 'INDEX_VERSION_UNSUPPORTED', 'FILE_NOT_FOUND'],
    `${what}: ${found.message}`,
  ).toContain(found.code);
  if (found.code === 'INDEX_CORRUPT') expect(found.message, what).toContain(file);
  return true;
}

/** Every so many bytes are damaged; the suite with sanitizers damages all of them. */
const STEP = Number(process.env['GRANULE_DAMAGE_STEP'] ?? 4);
/** Every second damaged file is opened mapped. */
const isMapped = (at: number) => Math.floor(at / STEP) % 2 === 0;

describe.each(SUBJECTS)('$name', (subject) => {
  const folder = path.join(root, subject.name.replace(/\W+/g, '-'));

  it('a byte that is changed, and a truncation, is found or harmless, wherever it is', {
    timeout: 240_000,
  }, async () => {
    const index = await subject.make();
    await index.save(folder);
    await subject.grow(index as never);
    await index.remove(Uint32Array.of(1));
    await index.save(folder);
    const files = readdirSync(folder).filter((name) => !name.startsWith('.'));
    expect(files.filter((name) => name.endsWith('.safetensors')).length).toBe(2);
    const expected = await results(index);
    for (const mmap of [false, true]) expect(await outcome(subject, folder, mmap)).toBe(expected);

    const damaged = path.join(root, `${path.basename(folder)}-damaged`);
    let found = 0;
    let harmless = 0;
    for (const file of files) {
      const whole = readFileSync(path.join(folder, file));
      mkdirSync(damaged, { recursive: true });
      for (const name of files)
        writeFileSync(path.join(damaged, name), readFileSync(path.join(folder, name)));
      const put = (bytes: Uint8Array) => writeFileSync(path.join(damaged, file), bytes);
      for (let at = seeded.integer(STEP); at < whole.length; at += STEP) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 1 << seeded.integer(8);
        put(changed);
        const what = `${file}, byte ${at} of ${whole.length}`;
        if (expectErrorOrHarmless(await outcome(subject, damaged, isMapped(at)), expected, what, file))
          found++;
        else harmless++;
      }
      for (let length = seeded.integer(STEP); length < whole.length; length += STEP) {
        put(whole.subarray(0, length));
        const what = `${file}, cut to ${length} of ${whole.length} bytes`;
        if (expectErrorOrHarmless(await outcome(subject, damaged, isMapped(length)), expected, what, file))
          found++;
        else harmless++;
      }
      put(Buffer.concat([whole, Buffer.of(0)]));
      expectErrorOrHarmless(await outcome(subject, damaged, true), expected, `${file}, a byte longer`, file);
    }
    // Padding may be harmless; nearly nothing else is.
    expect(found).toBeGreaterThan(20 * harmless);
    console.log(`${subject.name}: ${found} damages found, ${harmless} harmless`);
  });

  it('a file that is missing is named', async () => {
    const index = await subject.make();
    await index.save(`${folder}-missing`);
    const [segment] = readdirSync(`${folder}-missing`).filter((name) => name.endsWith('.safetensors'));
    rmSync(path.join(`${folder}-missing`, segment!));
    const error = await outcome(subject, `${folder}-missing`, true);
    expect(error).toMatchObject({ code: 'INDEX_CORRUPT', details: { file: segment } });
  });
});

it('damage that a search of a mapped index passes by is found by a sum over all rows', async () => {
  const rows = 3_008;
  const folder = path.join(root, 'sum');
  const index = new FlatIndex({ dimension: DIMENSION });
  // The best are the first sixteen, and no other comes near them.
  await index.add(
    Float32Array.from({ length: rows * DIMENSION }, (_, i) => (i < 16 * DIMENSION ? 9 : -1 - i / 1e5)),
  );
  await index.save(folder);
  const segment = readdirSync(folder).find((name) => name.endsWith('.safetensors'))!;
  const bytes = readFileSync(path.join(folder, segment));
  // The last vector that is stored.
  const last = Float32Array.of(-1 - (rows * DIMENSION - 1) / 1e5);
  bytes[bytes.lastIndexOf(Buffer.from(last.buffer))]! ^= 1;
  writeFileSync(path.join(folder, segment), bytes);
  const mapped = await FlatIndex.open(folder, { mmap: true });
  const ones = new Float32Array(DIMENSION).fill(1);
  expect((await mapped.search(ones, { k: 3 })).counts[0]).toBe(3);
  await expect(mapped.search(ones, { k: 3, temperature: 1, logSumExp: true })).rejects.toMatchObject({
    code: 'INDEX_CORRUPT',
    details: { file: segment },
  });
});

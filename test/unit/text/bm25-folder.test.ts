import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GranuleError } from '../../../src/errors.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { SparseIndex } from '../../../src/index/sparse-index.js';
import { analyzer } from '../../../src/text/analyzer.js';
import { Bm25Index } from '../../../src/text/bm25-index.js';
import { serialiseBm25Manifest } from '../../../src/text/bm25-manifest.js';

const code = (name: string) => expect.objectContaining({ code: name });
const TEXTS = [
  'a wing in a slipstream',
  'heat conduction in slabs',
  'flow past a wing',
  'über die Flügel \ud800 "x"\n',
];
const QUERIES = ['wings', 'slab of heat', 'flows', 'über', 'aerofoils'];

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'granule-bm25-'));
  folder = join(parent, 'index');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

async function made(texts: readonly string[] = TEXTS, options = {}): Promise<Bm25Index> {
  const index = new Bm25Index({ threads: 1, ...options });
  await index.add(texts);
  return index;
}

async function answers(index: Bm25Index) {
  const { rows, scores, counts } = await index.search(QUERIES, { k: index.rows });
  return { rows, scores, counts };
}

async function answersIn(path: string) {
  using index = await Bm25Index.open(path);
  return answers(index);
}

/** Replaces the manifest by one with other fields and a right checksum. */
function rewriteManifest(change: (fields: Record<string, unknown>) => void): void {
  const fields = JSON.parse(readFileSync(join(folder, 'bm25.json'), 'utf8'));
  change(fields);
  writeFileSync(join(folder, 'bm25.json'), serialiseBm25Manifest(fields).text);
}

describe('a saved BM25 index', () => {
  it('opens as it was: answers, parameters, analyzer, statistics', async () => {
    using index = await made(TEXTS, {
      k1: 1.5,
      b: 0.3,
      idf: 'classic',
      analyzer: analyzer({ stopWords: ['flow'], stemming: 'porter' }),
    });
    await index.remove(Uint32Array.of(1));
    const report = await index.save(folder);
    expect(report.rows).toBe(4);
    using opened = await Bm25Index.open(folder, { threads: 2 });
    expect(await answers(opened)).toEqual(await answers(index));
    expect(opened.parameters).toEqual({ k1: 1.5, b: 0.3, idf: 'classic' });
    expect(opened.analyzer.description).toEqual(index.analyzer.description);
    expect([opened.rows, opened.removedRows, opened.terms, opened.averageLength]).toEqual([
      4,
      1,
      index.terms,
      index.averageLength,
    ]);
  });

  it('goes on where it was: later terms, removals, compaction, from either side', async () => {
    using index = await made();
    await index.save(folder);
    using opened = await Bm25Index.open(folder);
    for (const each of [index, opened]) await each.add(['wings of steel', 'steel slabs']);
    expect(await answers(opened)).toEqual(await answers(index));
    await opened.add(['an aerofoil']);
    const { filesWritten } = await opened.save(folder);
    expect(filesWritten).toBeGreaterThan(0);
    expect(await answersIn(folder)).toEqual(await answers(opened));
    // The other has not seen this, and gives the next numbers to other terms.
    await index.add(['turbines and propellers']);
    await expect(index.save(folder)).rejects.toThrowError(code('INDEX_EXISTS'));
    expect(await answersIn(folder)).toEqual(await answers(opened));
    await opened.remove(Uint32Array.of(0, 4));
    await opened.compact();
    await opened.save(folder);
    expect(await answersIn(folder)).toEqual(await answers(opened));
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual(['bm25.json', expect.stringMatching(/^index-/), expect.stringMatching(/^vocabulary-/)]);
  });

  it('writes no file where nothing has changed', async () => {
    using index = await made();
    await index.save(folder);
    const before = readdirSync(folder, { recursive: true }).sort();
    expect((await index.save(folder)).filesWritten).toBe(0);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  });

  it('is replaced as a whole, and only on demand', async () => {
    using first = await made();
    await first.save(folder);
    using second = await made(['steel slabs', 'heat and flow']);
    await expect(second.save(folder)).rejects.toThrowError(code('INDEX_EXISTS'));
    expect(await answersIn(folder)).toEqual(await answers(first));
    await second.save(folder, { overwrite: true });
    expect(await answersIn(folder)).toEqual(await answers(second));
    expect(readdirSync(folder).filter((name) => /^(?:index|vocabulary)-/.test(name))).toHaveLength(2);
  });

  it('is not mixed with what a stopped save of more terms left behind', async () => {
    using index = await made();
    await index.save(folder);
    const before = await answers(index);
    await cp(folder, join(parent, 'copy'), { recursive: true });
    await index.add(['steel propellers']);
    await index.save(folder);
    // As after a crash between the terms and the postings: the new terms, and the former postings.
    const postings = readdirSync(folder).find((name) => name.startsWith('index-'))!;
    rmSync(join(folder, postings), { recursive: true });
    await cp(join(parent, 'copy', postings), join(folder, postings), { recursive: true });
    expect(await answersIn(folder)).toEqual(before);
    using opened = await Bm25Index.open(folder);
    await opened.add(['steel propellers']);
    expect(await answers(opened)).toEqual(await answers(index));
  });

  it('has the terms of its postings, whatever comes between their files', async () => {
    using index = await made();
    await index.save(folder);
    // A crash when the postings are there, before anything else is done.
    const save = SparseIndex.prototype.save;
    const saving = vi.spyOn(SparseIndex.prototype, 'save').mockImplementationOnce(async function (
      this: SparseIndex,
      ...args
    ) {
      await save.apply(this, args);
      throw new Error('crash');
    });
    await index.add(['steel propellers']);
    await expect(index.save(folder)).rejects.toThrowError('crash');
    saving.mockRestore();
    using after = await Bm25Index.open(folder);
    expect((await after.search(['steel'], { k: 1 })).counts[0]).toBe(1);
    // A save between an opener's reading of the terms and of the postings.
    const open = SparseIndex.open;
    const opening = vi.spyOn(SparseIndex, 'open').mockImplementationOnce(async (...args) => {
      await index.add(['turbines']);
      await index.save(folder);
      return open.apply(SparseIndex, args);
    });
    using met = await Bm25Index.open(folder);
    expect(opening).toHaveBeenCalledTimes(2);
    opening.mockRestore();
    expect((await met.search(['turbine'], { k: 1 })).counts[0]).toBe(1);
  });

  it('lets savers and openers meet', async () => {
    using index = await made();
    await index.save(folder);
    for (let i = 0; i < 6; i++) {
      await index.add([`wing number${i}`]);
      const saving = index.save(folder);
      using opened = await Bm25Index.open(folder);
      await saving;
      expect([4 + i, 5 + i]).toContain(opened.rows);
      const { counts } = await opened.search([`number${opened.rows - 5}`], { k: 1 });
      if (opened.rows > 4) expect(counts[0]).toBe(1);
    }
  });
});

describe('opening', () => {
  it('needs the analyzer with which the index was made', async () => {
    const own = analyzer({
      tokenizer: { name: 'spaces', tokenize: (text) => text.split(' ') },
      stemming: false,
    });
    using index = await made(TEXTS, { analyzer: own });
    await index.save(folder);
    await expect(Bm25Index.open(folder)).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(Bm25Index.open(folder, { analyzer: analyzer() })).rejects.toThrowError(
      code('ANALYZER_MISMATCH'),
    );
    using opened = await Bm25Index.open(folder, { analyzer: own });
    expect(await answers(opened)).toEqual(await answers(index));
  });

  it('is refused where there is no such index', async () => {
    await expect(Bm25Index.open(folder)).rejects.toThrowError(code('FILE_NOT_FOUND'));
    await expect(Bm25Index.open('')).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(Bm25Index.open(folder, { mmap: true } as never)).rejects.toThrowError(
      code('INVALID_ARGUMENT'),
    );
  });

  it('of a damaged index says which file', async () => {
    using index = await made();
    await index.save(folder);
    const vocabulary = readdirSync(folder).find((name) => name.startsWith('vocabulary-'))!;
    const postings = readdirSync(folder).find((name) => name.startsWith('index-'))!;
    const whole = join(parent, 'whole');
    await cp(folder, whole, { recursive: true });
    const change = (name: string, edit: (bytes: Buffer) => Uint8Array) =>
      writeFileSync(join(folder, name), edit(readFileSync(join(folder, name))));
    const flipped = (bytes: Buffer) => {
      bytes[bytes.length >> 1]! ^= 1;
      return bytes;
    };
    const line = (text: string) => () => {
      const bytes = Buffer.from(text);
      writeFileSync(join(folder, vocabulary), bytes);
      rewriteManifest((fields) => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        Object.assign(fields['vocabulary'] as object, { bytes: bytes.length, sha256 });
      });
    };
    const damages: [string, () => void][] = [
      ['bm25.json', () => change('bm25.json', flipped)],
      ['bm25.json', () => change('bm25.json', (bytes) => bytes.subarray(0, -9))],
      ['bm25.json', () => writeFileSync(join(folder, 'bm25.json'), '[]')],
      [
        'bm25.json',
        () =>
          writeFileSync(
            join(folder, 'bm25.json'),
            `{"format":"granule-bm25","version":1,"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
          ),
      ],
      ['bm25.json', () => rewriteManifest((fields) => Object.assign(fields, { parameters: { k1: -1 } }))],
      ['bm25.json', () => rewriteManifest((fields) => Object.assign(fields, { parameters: null }))],
      [
        'bm25.json',
        () => rewriteManifest((fields) => Object.assign(fields, { analyzer: { tokenizer: 'x' } })),
      ],
      ['bm25.json', () => rewriteManifest((fields) => Object.assign(fields, { index: '../elsewhere' }))],
      [
        'bm25.json',
        () => rewriteManifest((fields) => Object.assign(fields['vocabulary'] as object, { file: '../x' })),
      ],
      [
        vocabulary,
        () =>
          change(vocabulary, (bytes) => {
            // A letter of a term, which is another term then.
            bytes[1]! ^= 1;
            return bytes;
          }),
      ],
      [vocabulary, () => change(vocabulary, (bytes) => bytes.subarray(0, -1))],
      [vocabulary, () => rmSync(join(folder, vocabulary))],
      [vocabulary, line('"a"\n"b"\n')],
      [vocabulary, line('"a"\nb\n')],
      [vocabulary, line('"a"\n1\n')],
      [postings, () => rmSync(join(folder, postings), { recursive: true })],
      ['manifest.json', () => change(join(postings, 'manifest.json'), flipped)],
    ];
    for (const [file, damage] of damages) {
      damage();
      const error = await Bm25Index.open(folder).then(
        () => undefined,
        (reason: GranuleError) => reason,
      );
      expect([file, error?.code, error?.details['file']]).toEqual([file, 'INDEX_CORRUPT', file]);
      rmSync(folder, { recursive: true });
      await cp(whole, folder, { recursive: true });
    }
    expect(await answersIn(folder)).toEqual(await answers(index));
  });

  it('of a newer version is refused', async () => {
    using index = await made();
    await index.save(folder);
    const text = readFileSync(join(folder, 'bm25.json'), 'utf8').replace('"version": 1', '"version": 2');
    writeFileSync(join(folder, 'bm25.json'), text);
    await expect(Bm25Index.open(folder)).rejects.toThrowError(code('INDEX_VERSION_UNSUPPORTED'));
  });
});

describe('saving', () => {
  it('touches no folder that holds something else', async () => {
    writeFileSync(join(parent, 'letter.txt'), 'dear');
    using index = await made();
    await expect(index.save(parent)).rejects.toThrowError(code('FILE_NOT_WRITABLE'));
    await expect(index.save(join(parent, 'letter.txt'))).rejects.toThrowError(code('FILE_NOT_WRITABLE'));
    const flat = new FlatIndex({ dimension: 2 });
    await flat.add(new Float32Array(2));
    await flat.save(folder);
    await expect(index.save(folder, { overwrite: true })).rejects.toThrowError(code('FILE_NOT_WRITABLE'));
    expect(existsSync(join(folder, 'bm25.json'))).toBe(false);
  });

  it('that is aborted leaves what was there', async () => {
    using index = await made();
    await index.save(folder);
    const before = await answersIn(folder);
    await index.add(['more wings']);
    await expect(index.save(folder, { signal: AbortSignal.abort() })).rejects.toThrowError(code('ABORTED'));
    expect(await answersIn(folder)).toEqual(before);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hits } from '../../../src/index/hits.js';
import { rowFilter } from '../../../src/index/row-filter.js';
import { analyzer } from '../../../src/text/analyzer.js';
import { Bm25Index } from '../../../src/text/bm25-index.js';
import type { IdfKind } from '../../../src/text/bm25-weights.js';
import { slowBm25 } from './slow-bm25.js';

const code = (name: string) => expect.objectContaining({ code: name });
const words = analyzer({ stopWords: false, stemming: false });

/** Rows and scores of one query, best first. */
function listOf({ rows, scores, counts, k }: Hits, query = 0): [number, number][] {
  const start = query * k;
  return Array.from({ length: counts[query]! }, (_, i) => [rows[start + i]!, scores[start + i]!]);
}

async function indexOf(texts: readonly string[], options = {}): Promise<Bm25Index> {
  const index = new Bm25Index({ analyzer: words, threads: 2, ...options });
  await index.add(texts);
  return index;
}

describe('BM25', () => {
  it('of an example worked by hand', async () => {
    using index = await indexOf(['wing flow wing', 'flow', 'heat heat heat heat'], { k1: 1.2, b: 0.75 });
    // N = 3, avgdl = 8 / 3. wing: df 1, idf ln(1 + 2.5 / 1.5); flow: df 2, idf ln(1 + 1.5 / 2.5).
    const first = 1.2 * (0.25 + 0.75 * (3 / (8 / 3)));
    const second = 1.2 * (0.25 + 0.75 * (1 / (8 / 3)));
    const [wing, flow] = [Math.log(1 + 2.5 / 1.5), Math.log(1 + 1.5 / 2.5)];
    const list = listOf(await index.search(['flow wing'], { k: 3 }));
    expect(list.map(([row]) => row)).toEqual([0, 1]);
    expect(list[0]![1]).toBeCloseTo((wing * 2) / (2 + first) + (flow * 1) / (1 + first), 6);
    expect(list[1]![1]).toBeCloseTo(flow / (1 + second), 6);
    expect(index.averageLength).toBeCloseTo(8 / 3, 14);
    expect([index.rows, index.terms, index.removedRows]).toEqual([3, 3, 0]);
    expect(index.bytes).toBeGreaterThan(0);
  });

  it('is that of the slow form, in order, for any texts, parameters and idf', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 9 }),
        fc.array(text, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0, 0.9, 1.2, 3),
        fc.constantFrom(0, 0.4, 0.75, 1),
        fc.constantFrom<IdfKind>('lucene', 'classic', 'classic-floored'),
        fc.nat(9),
        async (texts, queries, k1, b, idf, cut) => {
          using index = await indexOf(
            texts.slice(0, cut).map((row) => row.join(' ')),
            { k1, b, idf },
          );
          await index.add(texts.slice(cut).map((row) => row.join(' ')));
          const hits = await index.search(
            queries.map((query) => query.join(' ')),
            { k: texts.length },
          );
          const order = [...new Set(texts.flat())];
          for (const [q, query] of queries.entries()) {
            const expected = slowBm25(texts, query, order, { k1, b, idf })
              .map((score, row) => [row, score] as const)
              .filter((hit): hit is [number, number] => hit[1] !== undefined)
              .map(([row, score]) => [row, Math.fround(score)] as [number, number]);
            const found = listOf(hits, q);
            expect(found.map(([row]) => row).sort((x, y) => x - y)).toEqual(expected.map(([row]) => row));
            for (const [row, score] of found) {
              expect(Math.abs(score - new Map(expected).get(row)!)).toBeLessThanOrEqual(
                2e-6 * Math.abs(score) + 1e-9,
              );
            }
            for (let i = 1; i < found.length; i++) {
              const [[beforeRow, before], [row, score]] = [found[i - 1]!, found[i]!];
              expect(before > score || (before === score && beforeRow < row)).toBe(true);
            }
          }
        },
      ),
      { seed: 17, numRuns: 120 },
    );
  });

  it('counts a query’s repeated word as often as it comes', async () => {
    using index = await indexOf(['wing flow', 'heat']);
    const score = async (query: string) => listOf(await index.search([query], { k: 1 }))[0]![1];
    expect(await score('wing wing')).toBe(2 * (await score('wing')));
  });

  it('of the classic idf lowers a row for a word that most rows have; floored, such a word finds nothing', async () => {
    const texts = ['flow wing', 'flow wing', 'flow heat'];
    using classic = await indexOf(texts, { idf: 'classic' });
    expect(listOf(await classic.search(['flow'], { k: 3 })).every(([, score]) => score < 0)).toBe(true);
    using floored = await indexOf(texts, { idf: 'classic-floored' });
    expect((await floored.search(['flow'], { k: 3 })).counts[0]).toBe(0);
    expect(listOf(await floored.search(['flow heat'], { k: 3 })).map(([row]) => row)).toEqual([2]);
  });

  it('gives the same bits for one add and for many, and for any number of threads', async () => {
    const texts = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: 3 + (i % 17) }, (_, j) => `w${(i * (j + 7)) % (3 + ((i + j) % 40))}`).join(' '),
    );
    using one = await indexOf(texts, { threads: 1 });
    using many = new Bm25Index({ analyzer: words, threads: 4 });
    // Not awaited one by one: rows and terms follow the order of the calls.
    await Promise.all(texts.map((text) => many.add([text])));
    const queries = ['w0 w1 w2', 'w39 w5', 'w7', 'unknown', ''];
    const [a, b] = await Promise.all([one, many].map((index) => index.search(queries, { k: 20 })));
    expect(b!.rows).toEqual(a!.rows);
    expect(b!.scores).toEqual(a!.scores);
    expect(a!.counts.subarray(3)).toEqual(Uint32Array.of(0, 0));
  });
});

describe('a BM25 index', () => {
  it('passes filter, temperature and signal on', async () => {
    using index = await indexOf(['wing', 'wing wing', 'wing flow']);
    const filter = rowFilter(3, [0, 2]);
    const hits = await index.search(['wing'], { k: 3, filter, temperature: 0.5 });
    expect(listOf(hits).map(([row]) => row)).toEqual([0, 2]);
    expect(hits.probabilities!.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const signal = AbortSignal.abort();
    await expect(index.search(['wing'], { k: 1, signal })).rejects.toThrowError(code('ABORTED'));
  });

  it('counts removed rows in its statistics until it is compacted', async () => {
    const texts = ['wing flow', 'wing', 'heat heat heat', 'flow wing wing'];
    using index = await indexOf(texts);
    const before = listOf(await index.search(['flow'], { k: 4 }));
    expect(await index.remove(Uint32Array.of(3))).toBe(1);
    expect(index.removedRows).toBe(1);
    expect(listOf(await index.search(['flow'], { k: 4 }))).toEqual(before.filter(([row]) => row !== 3));
    await index.remove(Uint32Array.of(1));
    expect(await index.compact()).toEqual(Uint32Array.of(0, 2));
    using fresh = await indexOf([texts[0]!, texts[2]!]);
    for (const query of ['flow', 'wing heat']) {
      expect(listOf(await index.search([query], { k: 2 }))).toEqual(
        listOf(await fresh.search([query], { k: 2 })),
      );
    }
    expect(index.averageLength).toBe(fresh.averageLength);
  });

  it('with texts without words finds nothing in them', async () => {
    using index = await indexOf(['', ' . ']);
    expect(index.rows).toBe(2);
    expect(index.averageLength).toBe(0);
    expect((await index.search(['wing', ''], { k: 2 })).counts).toEqual(Uint32Array.of(0, 0));
  });

  it('an add that fails leaves no row and no term behind', async () => {
    using index = await indexOf(['wing']);
    const controller = new AbortController();
    const long = Array.from({ length: 3000 }, (_, i) => `word${i} text`);
    const aborted = index.add(long, { signal: controller.signal });
    const after = index.add(['flow']);
    setTimeout(() => controller.abort(), 2);
    await expect(aborted).rejects.toThrowError(code('ABORTED'));
    expect(await after).toBe(1);
    expect([index.rows, index.terms]).toEqual([2, 2]);
    const failing = analyzer({
      tokenizer: {
        name: 'failing',
        tokenize: (text) => (text === 'bad' ? Object.assign(null as never) : [text]),
      },
    });
    using other = new Bm25Index({ analyzer: failing });
    await expect(other.add(['good', 'bad'])).rejects.toThrowError(TypeError);
    expect([other.rows, other.terms]).toEqual([0, 0]);
    expect(await other.add(['flow'])).toBe(0);
  });

  it('lets the event loop turn while it analyses', async () => {
    using index = new Bm25Index();
    const texts = Array.from({ length: 4000 }, (_, i) => `text number ${i} of many about wing${i} in flows`);
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await index.add(texts);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
  });

  it('refuses what it cannot use', async () => {
    using index = await indexOf(['wing']);
    await expect(index.add('wing' as never)).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(index.add([1] as never)).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(index.add(['a'], { ids: [] } as never)).rejects.toThrowError(code('INVALID_ARGUMENT'));
    await expect(index.search([], { k: 1 })).rejects.toThrowError(code('LENGTH_MISMATCH'));
    await expect(index.search(['a'], { k: 2 })).rejects.toThrowError(code('K_OUT_OF_RANGE'));
    await expect(index.search(['a'], { k: 1, top: 2 } as never)).rejects.toThrowError(
      code('INVALID_ARGUMENT'),
    );
    using empty = new Bm25Index();
    await expect(empty.search(['a'], { k: 1 })).rejects.toThrowError(code('EMPTY_INDEX'));
    for (const options of [
      { k1: -1 },
      { b: 2 },
      { idf: 'x' },
      { analyzer: (text: string) => [text] },
      { size: 1 },
    ]) {
      expect(() => new Bm25Index(options as never)).toThrowError(code('INVALID_ARGUMENT'));
    }
    index.dispose();
    expect(index.rows).toBe(0);
    await expect(index.add(['a'])).rejects.toThrowError(code('INDEX_DISPOSED'));
    await expect(index.search(['a'], { k: 1 })).rejects.toThrowError(code('INDEX_DISPOSED'));
  });
});

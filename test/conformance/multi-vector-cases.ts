import { describe, expect, it } from 'vitest';
import { type Device, type Metric, MultiVectorIndex } from '../../src/index.js';
import { expectBits, expectHits } from './expect-bits.js';
import { best, isAllowed, maxSim, NO_ROW } from './oracle.js';
import { Seeded } from './seeded.js';
import type { Scope } from './suite.js';

interface Case {
  metric: Metric;
  dimension: number;
  documents: Float32Array;
  lengths: readonly number[];
  queryVectors: Float32Array;
  queryLengths: readonly number[];
  k: number;
  threads?: number;
  filter?: Uint8Array;
  candidates?: Uint32Array;
  temperature?: number;
  /** Documents of each add; all at once by default. */
  adds?: readonly number[];
}

/** Cuts `data` into lists of `lengths[i]` vectors. */
function lists(data: Float32Array, lengths: readonly number[], dimension: number): Float32Array[][] {
  let vector = 0;
  return lengths.map((length) =>
    Array.from({ length }, () => data.subarray(vector * dimension, ++vector * dimension)),
  );
}

/** Runs one case through the engine and through the oracle, matches included. */
async function checkOn(device: Device, what: string, given: Case): Promise<void> {
  const { metric, dimension, k, filter, candidates, temperature, threads = 0 } = given;
  const documents = lists(given.documents, given.lengths, dimension);
  const queries = lists(given.queryVectors, given.queryLengths, dimension);
  const index = new MultiVectorIndex({ dimension, metric, threads, device });
  let document = 0;
  let vector = 0;
  for (const count of given.adds ?? [documents.length]) {
    const lengths = Uint32Array.from(given.lengths.slice(document, document + count));
    const vectors = lengths.reduce((a, b) => a + b, 0);
    const data = given.documents.subarray(vector * dimension, (vector + vectors) * dimension);
    expect(await index.add(data, lengths), `${what}: first document`).toBe(document);
    document += count;
    vector += vectors;
  }
  const hits = await index.search(given.queryVectors, {
    k,
    lengths: Uint32Array.from(given.queryLengths),
    filter,
    candidates,
    temperature,
    explain: true,
  });
  const scored = queries.map((query) =>
    documents.map((vectors, row) => ({ row, ...maxSim(metric, query, vectors) })),
  );
  const wanted = candidates && new Set(candidates);
  const expected = scored.map((all) =>
    best(
      all.filter(({ row }) => isAllowed(filter, row) && (wanted?.has(row) ?? true)),
      k,
    ),
  );
  expectHits(hits, expected, what, temperature);
  for (const [query, { rows }] of expected.entries()) {
    for (const [place, row] of rows.entries()) {
      const matches = hits.matches(query, place)!;
      const label = `${what}, query ${query}, place ${place}`;
      expect([...matches.vectors], `${label}: matched vectors`).toEqual(scored[query]![row]!.vectors);
      expectBits(matches.similarities, scored[query]![row]!.similarities, `${label}: similarities`);
    }
    expect(hits.matches(query, rows.length), what).toBeUndefined();
  }
  expectUnusedMatches(hits.matchedVectors!, hits.matchedSimilarities!, given, expected);
  const plain = await index.search(given.queryVectors, {
    k,
    lengths: Uint32Array.from(given.queryLengths),
    filter,
    candidates,
  });
  expectHits(plain, expected, `${what}, without explain`);
  expect(plain.matchedVectors).toBeUndefined();
  expect(plain.matches(0, 0)).toBeUndefined();
  index.dispose();
}

/** Every place of the documented layout that no hit uses is marked as unused. */
function expectUnusedMatches(
  vectors: Uint32Array,
  similarities: Float32Array,
  { k, queryLengths }: Case,
  expected: readonly { rows: readonly number[] }[],
): void {
  let first = 0;
  for (const [query, length] of queryLengths.entries()) {
    const unused = [k * first + expected[query]!.rows.length * length, k * (first + length)] as const;
    expect(vectors.subarray(...unused).every((value) => value === NO_ROW)).toBe(true);
    expect(similarities.subarray(...unused).every((value) => value === Number.NEGATIVE_INFINITY)).toBe(true);
    first += length;
  }
  expect(vectors.length).toBe(k * first);
  expect(similarities.length).toBe(k * first);
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((a, b) => a + b, 0);
}

export function multiVectorCases({ device, metrics, dimensions, threadCounts, large }: Scope): void {
  const check = (what: string, given: Case) => checkOn(device, what, given);

  describe.each(metrics)('%s', (metric) => {
    it.each(dimensions)('dimension %i, ragged documents and queries', async (dimension) => {
      const seeded = new Seeded(dimension);
      const lengths = Array.from({ length: 1 + seeded.integer(30) }, () => 1 + seeded.integer(40));
      const queryLengths = Array.from({ length: 1 + seeded.integer(4) }, () => 1 + seeded.integer(9));
      await check('ragged', {
        metric,
        dimension,
        documents: seeded.normal(sum(lengths) * dimension),
        lengths,
        queryVectors: seeded.normal(sum(queryLengths) * dimension),
        queryLengths,
        k: lengths.length,
        temperature: 0.3,
      });
    });

    it('documents of 1 to 1,030 vectors, queries of 1 to 40', async () => {
      const seeded = new Seeded(3);
      const dimension = 5;
      const lengths = [1, 1_030, 2, 31, 32, 33, 64, 1, 511, 512, 513, 7];
      const queryLengths = [1, 40, 2, 17, 39];
      for (const threads of threadCounts) {
        await check(`${threads} threads`, {
          metric,
          dimension,
          documents: seeded.normal(sum(lengths) * dimension),
          lengths,
          queryVectors: seeded.normal(sum(queryLengths) * dimension),
          queryLengths,
          k: 5,
          threads,
        });
      }
    });

    it('the first vector of a document wins a tie, and the lower document', async () => {
      const seeded = new Seeded(5);
      for (const dimension of large ? [1, 2, 9] : [2]) {
        const lengths = Array.from({ length: 60 }, () => 1 + seeded.integer(50));
        const queryLengths = [3, 1, 5];
        await check('ternary', {
          metric,
          dimension,
          documents: seeded.ternary(sum(lengths) * dimension),
          lengths,
          queryVectors: seeded.ternary(sum(queryLengths) * dimension),
          queryLengths,
          k: 60,
        });
        await check('zeros', {
          metric,
          dimension,
          documents: new Float32Array(sum(lengths) * dimension),
          lengths,
          queryVectors: new Float32Array(sum(queryLengths) * dimension).fill(-0),
          queryLengths,
          k: 7,
          temperature: 1,
        });
      }
    });

    it('values at the ends of float32', async () => {
      const seeded = new Seeded(23);
      const choices = [0, -0, 1, -1, 1e30, -1e30, 3.4e38, -3.4e38, 1e-30, 1e-45, -1e-45, 1e-42];
      for (const dimension of [1, 2, 9, 16]) {
        const lengths = Array.from({ length: 40 }, () => 1 + seeded.integer(5));
        const queryLengths = [1, 2, 6];
        await check(`dimension ${dimension}`, {
          metric,
          dimension,
          documents: seeded.from(choices, sum(lengths) * dimension),
          lengths,
          queryVectors: seeded.from(choices, sum(queryLengths) * dimension),
          queryLengths,
          k: 40,
          temperature: 2,
        });
      }
    });

    it('candidates in any order and with repeats, filters, and both', async () => {
      const seeded = new Seeded(29);
      const dimension = 6;
      const lengths = Array.from({ length: 123 }, () => 1 + seeded.integer(6));
      const queryLengths = [2, 3];
      const base = {
        metric,
        dimension,
        documents: seeded.ternary(sum(lengths) * dimension),
        lengths,
        queryVectors: seeded.ternary(sum(queryLengths) * dimension),
        queryLengths,
        temperature: 0.2,
      };
      const candidates = Uint32Array.from([122, 5, 5, 60, 0, 122, 61, 5, 99]);
      const filter = Uint8Array.from({ length: 16 }, () => seeded.next());
      await check('candidates', { ...base, k: 4, candidates });
      await check('candidates, fewer than k', { ...base, k: 100, candidates });
      await check('one candidate', { ...base, k: 1, candidates: Uint32Array.of(77) });
      await check('filter', { ...base, k: 123, filter });
      await check('filter and candidates', { ...base, k: 9, filter, candidates });
      await check('nothing allowed', { ...base, k: 3, filter: new Uint8Array(16) });
    });

    it.runIf(large)('20,011 documents in adds of odd sizes', async () => {
      const seeded = new Seeded(31);
      const dimension = 2;
      const adds = [1, 8_191, 3, 10_000, 1_816];
      const lengths = Array.from({ length: sum(adds) }, () => 1 + seeded.integer(4));
      await check('adds', {
        metric,
        dimension,
        documents: seeded.normal(sum(lengths) * dimension),
        lengths,
        queryVectors: seeded.normal(3 * dimension),
        queryLengths: [3],
        k: 40,
        adds,
      });
    });
  });

  it('one query is the default, and a batch gives what single queries give', async () => {
    const seeded = new Seeded(37);
    const index = new MultiVectorIndex({ dimension: 3, device });
    await index.add(seeded.normal(90), Uint32Array.from([10, 5, 15]));
    const queryVectors = seeded.normal(15);
    const batch = await index.search(queryVectors, {
      k: 2,
      lengths: Uint32Array.from([2, 3]),
      explain: true,
    });
    for (const [query, [begin, end]] of [
      [0, 6],
      [6, 15],
    ].entries()) {
      const single = await index.search(queryVectors.subarray(begin, end), { k: 2, explain: true });
      expect(single.queries).toBe(1);
      expect(single.rows).toEqual(batch.rows.subarray(query * 2, query * 2 + 2));
      expectBits(single.scores, batch.scores.subarray(query * 2, query * 2 + 2), 'scores');
      for (const place of [0, 1]) expect(single.matches(0, place)).toEqual(batch.matches(query, place));
    }
  });
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestGroups } from '../../../src/retrievers/best-groups.js';

interface Row {
  readonly score: number;
  readonly group: string | undefined;
}

const row = fc.record({
  score: fc.integer({ min: -3, max: 3 }),
  group: fc.option(
    fc.nat(5).map((group) => `g${group}`),
    { nil: undefined },
  ),
});

/** A search over rows that are scored already, and what was asked of it. */
function searched(all: readonly Row[]) {
  const ranked = [...all.keys()].sort((a, b) => all[b]!.score - all[a]!.score || a - b);
  const asked: number[] = [];
  const read: number[] = [];
  return {
    asked,
    read,
    all: all.length,
    search: async (places: number) => {
      asked.push(places);
      const rows = Uint32Array.from(ranked.slice(0, places));
      return { rows, scores: Float32Array.from(rows, (number) => all[number]!.score) };
    },
    groupsOf: async (rows: readonly number[]) => {
      read.push(...rows);
      return rows.map((number) => all[number]!.group);
    },
  };
}

/** Every group's best row, by looking at every row of every group. */
function slowly(all: readonly Row[], k: number) {
  const groups = [...new Set(all.map(({ group }) => group))].filter((group) => group !== undefined);
  const best = groups.map((group) => {
    const own = [...all.keys()].filter((number) => all[number]!.group === group);
    const score = Math.max(...own.map((number) => all[number]!.score));
    return { group, row: own.find((number) => all[number]!.score === score)!, score };
  });
  return best.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
}

/** The first rows, all of one group, come before all others. */
const crowded = (first: number, others: number): Row[] => [
  ...Array.from({ length: first }, () => ({ score: 2, group: 'crowd' })),
  ...Array.from({ length: others }, (_, i) => ({ score: 1, group: `g${i}` })),
];

describe('bestGroups', () => {
  it('finds what a look at every row finds, ties included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), async (all, k) => {
        expect(await bestGroups({ k, ...searched(all) })).toEqual(slowly(all, k));
      }),
      { numRuns: 500 },
    );
  });

  it('asks for more where one group has all the places, until there is no row left', async () => {
    const all = crowded(3000, 2);
    const deep = searched(all);
    expect(await bestGroups({ k: 3, ...deep })).toEqual(slowly(all, 3));
    expect(deep.asked.length).toBeGreaterThan(2);
    // A row that was looked at is not looked at again.
    expect(new Set(deep.read).size).toBe(deep.read.length);
    const exhausted = searched(all);
    expect(await bestGroups({ k: 4, ...exhausted })).toEqual(slowly(all, 4));
    expect(exhausted.asked.at(-1)).toBe(all.length);
    expect(exhausted.read).toHaveLength(all.length);
  });

  it('ends where a search finds fewer rows than it was asked for', async () => {
    const few = searched(crowded(1, 2));
    expect(await bestGroups({ k: 10, ...few, all: 1_000_000 })).toHaveLength(3);
    expect(few.asked).toHaveLength(1);
  });

  it('searches once where the groups are known early', async () => {
    const early = searched(crowded(1, 5000));
    expect((await bestGroups({ k: 10, ...early })).map(({ row }) => row)).toEqual([...Array(10).keys()]);
    expect(early.asked).toHaveLength(1);
  });

  it('asks for no more places than there are rows, however many groups are wanted', async () => {
    const few = searched(crowded(2, 2));
    expect(await bestGroups({ k: Number.MAX_SAFE_INTEGER, ...few })).toHaveLength(3);
    expect(few.asked).toEqual([4]);
  });

  it('stops between two reads', async () => {
    const abort = new AbortController();
    const deep = searched(crowded(5000, 2));
    const groupsOf = (rows: readonly number[]) => {
      abort.abort();
      return deep.groupsOf(rows);
    };
    const work = bestGroups({ k: 3, ...deep, groupsOf, signal: abort.signal });
    await expect(work).rejects.toMatchObject({ code: 'ABORTED' });
    expect(deep.read.length).toBeLessThan(2000);
  });
});

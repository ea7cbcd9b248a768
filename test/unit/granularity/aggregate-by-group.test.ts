import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AggregationMethod, aggregateByGroup, GROUP_SCORES } from '../../../src/granularity/index.js';
import { rankedList } from '../../../src/ranking/ranked-list.js';

const METHODS = Object.keys(GROUP_SCORES) as AggregationMethod[];
const passages = rankedList([0, 1, 2, 3, 4, 5], [0.5, 0.9, 0.1, 0.8, 0.7, -1]);
const documentOf = [0, 0, 0, 1, 1, undefined];

/** By the definition, from the passages in order of their rows. */
function slow(items: { row: number; score: number }[], method: AggregationMethod, most: number): number {
  const descending = items.map(({ score }) => score).sort((a, b) => b - a);
  if (method === 'max') return Math.max(...descending);
  if (method === 'sum') return descending.slice(0, most).reduce((a, b) => a + b, 0);
  if (method === 'mean') return descending.reduce((a, b) => a + b, 0) / descending.length;
  return [...items].sort((a, b) => a.row - b.row)[0]!.score;
}

describe('aggregateByGroup', () => {
  it.each([
    ['max', [0, 1], [0.9, 0.8], [1, 3]],
    ['sum', [1, 0], [0.8 + 0.7, 0.9 + 0.5], [3, 1]],
    ['mean', [1, 0], [(0.8 + 0.7) / 2, (0.9 + 0.5 + 0.1) / 3], [3, 1]],
    ['first', [1, 0], [0.8, 0.5], [3, 1]],
  ] as const)('%s: documents from passages, each with its best passage', (method, rows, scores, evidence) => {
    const list = aggregateByGroup(passages, (row) => documentOf[row], { method, most: 2 });
    expect([...list.rows]).toEqual(rows);
    expect([...list.scores]).toEqual(scores);
    expect([...list.evidence]).toEqual(evidence);
  });

  it.each(METHODS)('%s agrees with its definition, and every group is there once', (method) => {
    const item = fc.record({ row: fc.nat(50), score: fc.double({ noNaN: true, min: -9, max: 9 }) });
    fc.assert(
      fc.property(
        fc.uniqueArray(item, { selector: ({ row }) => row }),
        fc.integer({ min: 1, max: 4 }),
        (items, most) => {
          const list = rankedList(
            items.map(({ row }) => row),
            items.map(({ score }) => score),
          );
          const { rows, scores, evidence } = aggregateByGroup(list, (row) => row % 7, { method, most });
          expect([...rows].sort()).toEqual([...new Set(items.map(({ row }) => row % 7))].sort());
          for (const [place, group] of rows.entries()) {
            const own = items.filter(({ row }) => row % 7 === group);
            expect(scores[place]).toBe(slow(own, method, most));
            const best = Math.max(...own.map(({ score }) => score));
            expect(evidence[place]).toBe(
              Math.min(...own.filter((o) => o.score === best).map(({ row }) => row)),
            );
          }
          for (let i = 1; i < rows.length; i++) expect(scores[i]).toBeLessThanOrEqual(scores[i - 1]!);
        },
      ),
    );
  });

  it('goes on from documents to entities, and back along the evidence', () => {
    const documents = aggregateByGroup(passages, (row) => documentOf[row]);
    const entities = aggregateByGroup(documents, () => 8);
    expect([...entities.rows]).toEqual([8]);
    const document = entities.evidence[0]!;
    expect(documents.evidence[documents.rows.indexOf(document)]).toBe(1);
  });

  it('one row is its group, no row is none, and equal groups come by their number', () => {
    for (const method of METHODS) {
      const one = aggregateByGroup(rankedList([5], [-2]), () => 3, { method });
      expect([[...one.rows], [...one.scores], [...one.evidence]]).toEqual([[3], [-2], [5]]);
      expect(aggregateByGroup(rankedList([], []), () => 3, { method }).rows).toHaveLength(0);
      expect([...aggregateByGroup(rankedList([1, 2], [1, 1]), (row) => 9 - row, { method }).rows]).toEqual([
        7, 8,
      ]);
    }
    expect(aggregateByGroup(passages, () => undefined).evidence).toHaveLength(0);
  });

  it.each([
    ['INVALID_ARGUMENT', { method: 'median' }],
    ['INVALID_ARGUMENT', { method: 'toString' }],
    ['INVALID_ARGUMENT', { most: 0 }],
    ['INVALID_ARGUMENT', { top: 3 }],
  ])('refuses with %s: %j', (code, options) => {
    expect(() => aggregateByGroup(passages, () => 0, options as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('refuses a group that is no number, and a sum that is none', () => {
    expect(() => aggregateByGroup(passages, () => -1)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    const infinite = rankedList([0, 1], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(() => aggregateByGroup(infinite, () => 0, { method: 'sum' })).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
  });
});

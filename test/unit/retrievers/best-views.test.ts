import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { bestViews } from '../../../src/retrievers/best-views.js';
import { matrix } from '../../../src/vectors/matrix.js';

const row = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 2 });

test('the k best rows over all views are those of a full comparison, ties included', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 12 }),
      fc.array(row, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      async (rows, views, wanted) => {
        const k = Math.min(wanted, rows.length);
        using index = new FlatIndex({ dimension: 2 });
        await index.add(Float32Array.from(rows.flat()));
        const expected = rows
          .map((x, i) => {
            const scores = views.map((view) => view[0]! * x[0]! + view[1]! * x[1]!);
            return { row: i, score: Math.max(...scores) };
          })
          .sort((a, b) => b.score - a.score || a.row - b.row)
          .slice(0, k);
        const found = await bestViews(index, matrix(Float32Array.from(views.flat()), 2), k, undefined);
        expect(found.map(({ row: at, score }) => ({ row: at, score: score + 0 }))).toEqual(
          expected.map(({ row: at, score }) => ({ row: at, score: score + 0 })),
        );
        for (const { row: at, view, score } of found) {
          expect(views[view]![0]! * rows[at]![0]! + views[view]![1]! * rows[at]![1]! + 0).toBe(score + 0);
        }
      },
    ),
    { numRuns: 100 },
  );
});

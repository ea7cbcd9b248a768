import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listScores, listSpan } from '../../../../src/evaluation/answers/list-scores.js';
import { optimalAssignment } from '../../../../src/evaluation/answers/optimal-assignment.js';

describe('the optimal assignment', () => {
  /** The best sum over all ways to give each row of the shorter side a place of its own: factorial, and obvious. */
  function bestSum(scores: Float64Array, rows: number, columns: number, row = 0, taken = 0): number {
    if (row === rows) return 0;
    let best = rows > columns ? bestSum(scores, rows, columns, row + 1, taken) : Number.NEGATIVE_INFINITY;
    for (let column = 0; column < columns; column++) {
      if (taken & (1 << column)) continue;
      const rest = bestSum(scores, rows, columns, row + 1, taken | (1 << column));
      best = Math.max(best, scores[row * columns + column]! + rest);
    }
    return best;
  }

  const tables = fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }))
    .chain(([rows, columns]) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        // Few values, so that there are ties; none is negative, so that leaving a row out never pays.
        scores: fc.array(fc.integer({ min: 0, max: 20 }), {
          minLength: rows * columns,
          maxLength: rows * columns,
        }),
      }),
    );

  test('has the greatest sum of all, and gives no column twice', () => {
    fc.assert(
      fc.property(tables, ({ rows, columns, scores }) => {
        const table = Float64Array.from(scores);
        const assignment = optimalAssignment(table, rows, columns);
        const used = [...assignment].filter((column) => column !== -1);
        expect(used).toHaveLength(Math.min(rows, columns));
        expect(new Set(used).size).toBe(used.length);
        const sum = [...assignment].reduce(
          (total, column, row) => total + (column === -1 ? 0 : table[row * columns + column]!),
          0,
        );
        expect(sum).toBe(bestSum(table, rows, columns));
      }),
      { numRuns: 500 },
    );
  });

  test('is not the greedy one', () => {
    // Greedy takes 9 and is left with 1; the other diagonal gives 8 + 8.
    expect([...optimalAssignment(Float64Array.of(9, 8, 8, 1), 2, 2)]).toEqual([1, 0]);
  });
});

describe('spans', () => {
  test.each([
    ['The Beatles', 'beatles'],
    ['Spider-Man', 'spider man'],
    ['U.S.A.', 'usa'],
    ['5', '5'],
    ['5.0', '5'],
    ['five', '5'],
    ['$1,200', '1200'],
    ['1.5 million', '1.5 1000000'],
    ['-5', '5'],
    ['point guard', 'point guard'],
    ["an artist's a", 'artists'],
    ['  ', ''],
  ])('%j becomes %j', (span, expected) => {
    expect(listSpan(span)).toBe(expected);
  });
});

describe('list EM and list F1', () => {
  test.each([
    [['Rome', 'the Paris'], ['paris', 'Rome!'], 1, 1],
    [['five'], ['5.0'], 1, 1],
    [['Rome'], ['Rome', 'Paris'], 0, 0.5],
    [['Rome', 'Paris', 'Oslo'], ['Rome'], 0, 0.33],
    // Pairs: (new york city, york city) 2*1*(2/3)/(5/3) = 0.8, and (rome, rome) 1: mean 0.9.
    [['York City', 'Rome'], ['New York City', 'Rome'], 0, 0.9],
    // The number of the gold span is missing: the shared word does not count.
    [['3 towers'], ['4 towers'], 0, 0],
    [['four towers', 'x'], ['4 towers', 'y'], 0, 0.5],
    // Numbers in the prediction only do not matter: {towers} against {3, towers}: P 1/2, R 1.
    [['3 towers'], ['towers'], 0, 0.67],
    // Equal as sets, of one length: exact, though not the same multiset.
    [['x', 'x', 'y'], ['x', 'y', 'y'], 1, 0.67],
    [['x', 'x'], ['x'], 0, 0.5],
    [[], ['x'], 0, 0],
    [['the'], ['a'], 1, 1],
    [['x'], ['the'], 0, 0],
    // 1/8 rounds half to even: 0.12.
    [['x', '1b', '1c', '1d', '1e', '1f', '1g', '1h'], ['x'], 0, 0.12],
  ] as const)('%j against %j: %d and %d', (predicted, gold, exactMatch, f1) => {
    expect(listScores(predicted, gold)).toEqual({ exactMatch, f1 });
  });

  test('pairs so that the sum is greatest, not each span with its best', () => {
    // a b c / a b: 0.8, a b c / a b c d: 0.857; d / a b c d: 0.4. Best pairing: 0.8 + 0.4 < 0.857 + 0.
    // With "a b" for gold 2 and "d": (a b c, a b) 0.8 + (d, a b c d) 0.4 = 1.2 against 0.857 + 0.
    expect(listScores(['x y z', 'w'], ['x y', 'x y z w']).f1).toBe(0.6);
  });

  test('refuses a question without gold answers', () => {
    expect(() => listScores(['a'], [])).toThrow(/gold answer/);
  });
});

import { expect, test } from 'vitest';
import {
  evaluatePartitions,
  meansByGroup,
  partitionQrels,
} from '../../../../src/evaluation/answers/partitions.js';

test('means by group, in the order of the groups, without those that are in none', () => {
  const means = meansByGroup([1, 0.5, 0, 0, 9], ['TextQ', 'ImageQ', 'TextQ', 'ImageQ', undefined]);
  expect([...means]).toEqual([
    ['TextQ', { queries: 2, mean: 0.5 }],
    ['ImageQ', { queries: 2, mean: 0.25 }],
  ]);
  expect(meansByGroup([], []).size).toBe(0);
  expect(() => meansByGroup([1], [])).toThrow(/groups/);
});

const DOMAIN: Record<string, string> = { q1: 'A', q2: 'B', a1: 'A', a2: 'A', b1: 'B', b2: 'B' };
const isIn = (query: string, document: string) => DOMAIN[query] === DOMAIN[document];
const qrels = new Map([
  [
    'q1',
    new Map([
      ['a1', 1],
      ['b1', 1],
      ['a2', 0],
    ]),
  ],
  [
    'q2',
    new Map([
      ['a1', 2],
      ['b1', 0],
    ]),
  ],
]);
const run = {
  tag: 'r',
  queries: new Map([
    ['q1', { documents: ['b1', 'a1', 'a2'], scores: Float64Array.of(3, 2, 1) }],
    ['q2', { documents: ['b2', 'a1'], scores: Float64Array.of(2, 1) }],
  ]),
};

test('a partition has its pairs only, and no query without something relevant in it', () => {
  const within = partitionQrels(qrels, isIn);
  expect([...within].map(([query, judged]) => [query, [...judged]])).toEqual([
    [
      'q1',
      [
        ['a1', 1],
        ['a2', 0],
      ],
    ],
  ]);
  expect([...partitionQrels(qrels, (q, d) => !isIn(q, d)).keys()]).toEqual(['q1', 'q2']);
  expect([...partitionQrels(qrels, (q, d) => !isIn(q, d), 2).keys()]).toEqual(['q2']);
});

test('ALL, IN and OUT by hand', () => {
  const partitions = {
    ALL: () => true,
    IN: isIn,
    OUT: (q: string, d: string) => !isIn(q, d),
    NONE: () => false,
  };
  const { ALL, IN, OUT, NONE } = evaluatePartitions(qrels, run, partitions, { measures: ['recip_rank'] });
  expect(ALL!.aggregate.get('recip_rank')).toBe((1 + 1 / 2) / 2);
  // q1 only: a1 is second, for b1 keeps its rank though it is of the other partition.
  expect(IN!.queries).toEqual(['q1']);
  expect(IN!.aggregate.get('recip_rank')).toBe(1 / 2);
  expect(OUT!.aggregate.get('recip_rank')).toBe((1 + 1 / 2) / 2);
  expect(NONE).toBeUndefined();
});

test('the relevance level decides which queries a partition has', () => {
  const { OUT } = evaluatePartitions(qrels, run, { OUT: (q, d) => !isIn(q, d) }, { relevanceLevel: 2 });
  expect(OUT!.queries).toEqual(['q2']);
});

import { describe, expect, it } from 'vitest';
import { type EvaluateOptions, evaluateRun } from '../../../src/evaluation/evaluate-run.js';
import type { Qrels } from '../../../src/evaluation/qrels.js';
import {
  type Run,
  runFromRankedLists,
  trecOrder,
  withoutQueryDocuments,
} from '../../../src/evaluation/run.js';
import { rankedList } from '../../../src/ranking/ranked-list.js';

type Plain = Record<string, Record<string, number>>;

function run(lists: Plain): Run {
  const queries = Object.entries(lists).map(([query, list]) => {
    const documents = Object.keys(list);
    return [query, { documents, scores: Float64Array.from(Object.values(list)) }] as const;
  });
  return { tag: 'test', queries: new Map(queries) };
}

function qrels(judgements: Plain): Qrels {
  return new Map(
    Object.entries(judgements).map(([query, grades]) => [query, new Map(Object.entries(grades))]),
  );
}

const refused = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe('the order of trec_eval', () => {
  const order = (list: Record<string, number>) => {
    const [only] = run({ q: list }).queries.values();
    return Array.from(trecOrder(only!), (i) => only!.documents[i]);
  };

  it('is score descending, then id descending by bytes', () => {
    expect(order({ a: 1, b: 2, B: 1, c: 1, ab: 1 })).toEqual(['b', 'c', 'ab', 'a', 'B']);
  });

  it('compares scores as doubles', () => {
    expect(order({ b: 0.1, a: 0.1 + 2 ** -55, c: 0.1 })).toEqual(['a', 'c', 'b']);
    // Equal as 32-bit numbers, and the larger id would be first.
    expect(order({ a: 1.00000001, b: 1 })).toEqual(['a', 'b']);
  });

  it('takes infinite scores, also equal ones', () => {
    expect(
      order({ a: Number.NEGATIVE_INFINITY, b: 0, c: Number.POSITIVE_INFINITY, d: Number.POSITIVE_INFINITY }),
    ).toEqual(['d', 'c', 'b', 'a']);
  });

  it('is that of the UTF-8 bytes beyond U+FFFF too, where that of JavaScript differs', () => {
    const [beyond, last] = ['\u{1F600}', '\uFFFD'];
    expect(beyond < last).toBe(true);
    expect(Buffer.compare(Buffer.from(beyond), Buffer.from(last))).toBe(1);
    expect(order({ [beyond]: 1, [last]: 1 })).toEqual([beyond, last]);
  });

  it('decides values: of two documents that tie, the one with the larger id counts as first', () => {
    const first = (relevant: string) =>
      evaluateRun(qrels({ q: { [relevant]: 1 } }), run({ q: { a: 1, b: 1 } })).aggregate.get('recip_rank');
    expect([first('b'), first('a')]).toEqual([1, 0.5]);
  });
});

describe('the queries that are evaluated', () => {
  const judged = qrels({ q10: { a: 1 }, q2: { a: 1 }, q1: { b: 0 } });
  const found = run({ q2: { a: 1 }, q1: { b: 1 }, unknown: { a: 1 } });

  it('are those in both, by bytes; one without relevant documents counts as 0', () => {
    const { queries, perQuery, aggregate } = evaluateRun(judged, found);
    expect(queries).toEqual(['q1', 'q2']);
    expect(perQuery.get('map')).toEqual(Float64Array.of(0, 1));
    expect(aggregate.get('map')).toBe(0.5);
    expect(aggregate.get('num_q')).toBe(2);
  });

  it('are all that were judged, where complete', () => {
    const { queries, perQuery, aggregate } = evaluateRun(judged, found, { complete: true });
    expect(queries).toEqual(['q1', 'q10', 'q2']);
    expect(perQuery.get('map')).toEqual(Float64Array.of(0, 0, 1));
    expect(aggregate.get('map')).toBe(1 / 3);
    expect(aggregate.get('gm_map')).toBeCloseTo((1e-5 * 1e-5) ** (1 / 3), 12);
  });

  it('must be one at least: the error shows an id of each side', () => {
    for (const complete of [false, true]) {
      expect(() => evaluateRun(judged, run({ '2': { a: 1 } }), { complete })).toThrowError(
        refused(
          'INVALID_ARGUMENT',
          'no query is both judged and in the run: 3 are judged (the first is "q10"), 1 are in the run',
        ),
      );
    }
    expect(() => evaluateRun(judged, run({}))).toThrowError(refused('INVALID_ARGUMENT', '0 are in the run'));
    expect(() => evaluateRun(new Map(), run({}), { complete: true })).toThrowError(
      refused('INVALID_ARGUMENT', '0 are judged'),
    );
  });

  it('may all be missing from a run without queries, where complete', () => {
    expect(evaluateRun(judged, run({}), { complete: true }).aggregate.get('map')).toBe(0);
  });
});

describe('what cannot be evaluated', () => {
  const judged = qrels({ q: { a: 1 } });
  const list = (documents: string[], scores: number[]): Run => ({
    tag: 't',
    queries: new Map([['q', { documents, scores: Float64Array.from(scores) }]]),
  });

  it.each<[string, Run, string, string]>([
    ['fewer scores than documents', list(['a', 'b'], [1]), 'LENGTH_MISMATCH', '2 documents have 1 scores'],
    ['a score that is no number', list(['a'], [Number.NaN]), 'NOT_FINITE', 'document a'],
    [
      'a document twice',
      list(['a', 'b', 'a'], [3, 2, 1]),
      'DUPLICATE_ID',
      'document a comes twice for query q',
    ],
  ])('is %s', (_, wrong, code, message) => {
    expect(() => evaluateRun(judged, wrong)).toThrowError(refused(code, message));
  });

  it.each<[string, object, string]>([
    ['an unknown option', { level: 2 }, 'no option level'],
    ['a relevance level of 0', { relevanceLevel: 0 }, 'relevance level'],
    ['an unknown measure', { measures: ['precision'] }, 'unknown measure precision; known are runid, num_q'],
  ])('is asked with %s', (_, options, message) => {
    expect(() => evaluateRun(judged, list(['a'], [1]), options as EvaluateOptions)).toThrowError(
      refused('INVALID_ARGUMENT', message),
    );
  });
});

describe('a run from ranked lists', () => {
  it('has the ids of the rows', () => {
    const { tag, queries } = runFromRankedLists(
      'dense',
      ['q1', 'q2'],
      [rankedList([2, 0], [0.5, 0.75]), rankedList([], [])],
      ['a', 'b', 'c'],
    );
    expect(tag).toBe('dense');
    expect([...queries]).toEqual([
      ['q1', { documents: ['a', 'c'], scores: Float64Array.of(0.75, 0.5) }],
      ['q2', { documents: [], scores: new Float64Array() }],
    ]);
  });

  it.each<[string, string[], string[], string]>([
    ['fewer lists than queries', ['q1', 'q2'], ['a', 'b'], 'LENGTH_MISMATCH'],
    ['a row without id', ['q1'], ['a'], 'ROW_NOT_FOUND'],
    ['two rows with one id', ['q1'], ['a', 'a'], 'DUPLICATE_ID'],
  ])('is refused for %s', (_, queries, documents, code) => {
    const list = rankedList([0, 1], [1, 0]);
    expect(() => runFromRankedLists('t', queries, [list], documents)).toThrowError(refused(code, ''));
  });

  it('is refused for one query twice', () => {
    const list = rankedList([0], [1]);
    expect(() => runFromRankedLists('t', ['q', 'q'], [list, list], ['a'])).toThrowError(
      refused('DUPLICATE_ID', 'q'),
    );
  });
});

describe('a run without the documents that are the queries', () => {
  it('lacks them alone, with their scores', () => {
    const all = run({ a: { b: 3, a: 2, c: 1 }, b: { a: 1 }, c: { c: 1 } });
    expect([...withoutQueryDocuments(all).queries]).toEqual([
      ...run({ a: { b: 3, c: 1 }, b: { a: 1 }, c: {} }).queries,
    ]);
  });
});

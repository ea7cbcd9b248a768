import { describe, expect, it } from 'vitest';
import { measureNames, selectMeasures } from '../../../src/evaluation/select-measures.js';

const names = (...asked: string[]) => selectMeasures(asked).map(({ name }) => name);

describe('measures that are asked for', () => {
  it.each<[string[], string[]]>([
    [['map'], ['map']],
    [['P.5,10'], ['P_5', 'P_10']],
    [
      ['P_10', 'P_5', 'P.10'],
      ['P_5', 'P_10'],
    ],
    [['ndcg_cut_10'], ['ndcg_cut_10']],
    [
      ['ndcg_cut.10', 'ndcg'],
      ['ndcg', 'ndcg_cut_10'],
    ],
    [['success'], ['success_1', 'success_5', 'success_10']],
    [['iprec_at_recall.0.5'], ['iprec_at_recall_0.50']],
    [['iprec_at_recall_0.50,1'], ['iprec_at_recall_0.50', 'iprec_at_recall_1.00']],
    [['relstring'], ['relstring']],
    [['relstring.20'], ['relstring_20']],
    [
      ['set_F.0.5', 'rbp.0.95'],
      ['set_F_0.5', 'rbp_0.95'],
    ],
    [
      ['11pt_avg', 'runid'],
      ['runid', '11pt_avg'],
    ],
    [['map', 'map'], ['map']],
    [[], []],
  ])('%j are %j, in the order of the table, each once', (asked, expected) => {
    expect(names(...asked)).toEqual(expected);
  });

  it('given parameters take the place of defaults, in sets too', () => {
    const all = names('all_trec', 'P.3', 'relstring.20');
    expect(all.filter((name) => name.startsWith('P_'))).toEqual(['P_3']);
    expect(all.filter((name) => name.startsWith('relstring'))).toEqual(['relstring_20']);
  });

  it('parameters reach the values', () => {
    expect(
      selectMeasures(['set_F.0.5', 'P.7', 'iprec_at_recall.0.25']).map(({ parameter }) => parameter),
    ).toEqual([0.25, 7, 0.5]);
  });

  it('names of every family and set can be asked for', () => {
    const { families, sets } = measureNames();
    expect(sets).toEqual(['official', 'all_trec']);
    for (const name of [...families, ...sets]) expect(names(name).length).toBeGreaterThan(0);
    expect(new Set(names(...families)).size).toBe(names(...families).length);
  });

  it.each([
    ['precision', 'unknown measure precision; known are runid'],
    ['', 'unknown measure'],
    ['P.', 'unknown measure P.'],
    ['P.5,', 'P takes ranks from 1, got nothing'],
    ['P.0', 'P takes ranks from 1, got 0'],
    ['P.1.5', 'P takes ranks from 1, got 1.5'],
    ['map.5', 'map has no parameter, got 5'],
    ['iprec_at_recall.1.5', 'recalls from 0 to 1'],
    ['iprec_at_recall.0.125', 'two decimals'],
    ['Rprec_mult.0', 'multiples above 0'],
    ['rbp.1', 'a persistence between 0 and 1, got 1'],
    ['rbp.0.5,0.6', 'rbp takes one parameter, got 0.5,0.6'],
    ['relstring.0', 'a number of documents from 1'],
    ['P.1e3', 'unknown measure'],
    ['constructor', 'unknown measure'],
  ])('%j is refused: %s', (name, message) => {
    expect(() => selectMeasures([name])).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });
});

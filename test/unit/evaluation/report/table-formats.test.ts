import { describe, expect, test } from 'vitest';
import {
  countCell,
  decimalCell,
  probabilityCell,
  type Table,
} from '../../../../src/evaluation/report/table.js';
import {
  csvTable,
  jsonTable,
  latexTable,
  markdownTable,
} from '../../../../src/evaluation/report/table-formats.js';

const TABLE: Table = {
  columns: [
    { name: 'run', isNumeric: false },
    { name: 'mAP 50% | x', isNumeric: true },
    { name: 'p', isNumeric: true },
    { name: 'n', isNumeric: true },
  ],
  rows: [
    ['bm25_a', decimalCell(1 / 3), probabilityCell(0.00002), countCell(7)],
    ['a,"b"\nc|d', decimalCell(-0.03125), probabilityCell(1), ''],
  ],
};

describe('a table', () => {
  test('in Markdown has four decimals, numbers to the right, and no bar or line that would break it', () => {
    expect(markdownTable(TABLE).split('\n')).toEqual([
      '| run | mAP 50% \\| x | p | n |',
      '| --- | ---: | ---: | ---: |',
      '| bm25_a | 0.3333 | <0.0001 | 7 |',
      '| a,"b" c\\|d | -0.0312 | 1.0000 |  |',
    ]);
  });

  test('in CSV has all digits, and quotes what needs it', () => {
    expect(csvTable(TABLE)).toBe(
      'run,mAP 50% | x,p,n\nbm25_a,0.3333333333333333,0.00002,7\n"a,""b""\nc|d",-0.03125,1,',
    );
  });

  test('in LaTeX has rules of booktabs, and its special characters are text', () => {
    expect(latexTable(TABLE).split('\n')).toEqual([
      '\\begin{tabular}{lrrr}',
      '  \\toprule',
      '  run & mAP 50\\% \\textbar{} x & p & n \\\\',
      '  \\midrule',
      '  bm25\\_a & 0.3333 & $<0.0001$ & 7 \\\\',
      '  a,"b" c\\textbar{}d & $-0.0312$ & 1.0000 &  \\\\',
      '  \\bottomrule',
      '\\end{tabular}',
    ]);
    const special: Table = { columns: [{ name: '\\ { } & # $ _ ~ ^ < >', isNumeric: false }], rows: [] };
    expect(latexTable(special)).toContain(
      '\n  \\textbackslash{} \\{ \\} \\& \\# \\$ \\_ \\textasciitilde{} \\textasciicircum{} \\textless{} \\textgreater{} \\\\\n',
    );
  });

  test('in JSON has all digits, and null for no value', () => {
    expect(JSON.parse(jsonTable(TABLE))).toEqual({
      columns: ['run', 'mAP 50% | x', 'p', 'n'],
      rows: [
        ['bm25_a', 1 / 3, 0.00002, 7],
        ['a,"b"\nc|d', -0.03125, 1, null],
      ],
    });
  });
});

test('a p-value is never shown as 0', () => {
  const texts = [0.00009, 0.0001, 0.00015, 0.05].map((p) => (probabilityCell(p) as { text: string }).text);
  expect(texts).toEqual(['<0.0001', '0.0001', '0.0001', '0.0500']);
});

import type { DemoEvaluation, SystemScores } from './evaluate-demo.js';

const COLUMNS: readonly (readonly [heading: string, score: Exclude<keyof SystemScores, 'name'>])[] = [
  ['entity P@1', 'entityP1'],
  ['MRR@100', 'entityMrr100'],
  ['passage P@1', 'passageP1'],
  ['P@20', 'passageP20'],
  ['EM', 'exactMatch'],
  ['F1', 'f1'],
];

/** The evaluation as a table of aligned text, one system per line, scores from 0 to 1 with three decimals. */
export function renderTable(evaluation: DemoEvaluation): string {
  const rows = [
    [`${evaluation.questions} questions`, ...COLUMNS.map(([heading]) => heading)],
    ...evaluation.systems.map((system, i) => [
      `(${'abcd'[i]}) ${system.name}`,
      ...COLUMNS.map(([, score]) => system[score].toFixed(3)),
    ]),
  ];
  return alignedRows(rows);
}

/** Rows of cells as lines, the first column flush left and the others flush right. */
export function alignedRows(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}

import { alignedRows } from '../render-table.js';
import type { AblationMeasures, AblationTable, SeedMean } from './ablation-table.js';

const COLUMNS: readonly (readonly [heading: readonly [string, string], column: keyof AblationMeasures])[] = [
  [['one flag', 'P@1'], 'oneFlagP1'],
  [['several', 'P@1'], 'severalFlagsP1'],
  [['never trained', 'P@1'], 'neverTrainedP1'],
  [['entity', 'MRR@100'], 'entityMrr100'],
  [['passage', 'MRR@20'], 'passageMrr'],
  [['passage', 'P@1'], 'passageP1'],
  [['passage', 'P@20'], 'passageP20'],
  [['', 'EM'], 'exactMatch'],
  [['', 'F1'], 'f1'],
];

/**
 * The table as aligned text, a stage per line. A trained system's cell is the mean over seeds with the spread in units of its last digit:
 * `.953±04` is 0.953 with a standard deviation of 0.004.
 */
export function renderAblation({ oneFlag, severalFlags, seeds, rows }: AblationTable): string {
  const lines = rows.map(({ name, ...measures }, i) => [
    i < 2 ? name : `+ ${name}`,
    ...COLUMNS.map(([, column]) => cell(measures[column])),
  ]);
  const headings = [0, 1].map((line) => [
    line === 0 ? `${oneFlag} + ${severalFlags} questions` : `${seeds.length} seeds`,
    ...COLUMNS.map(([heading]) => heading[line as 0 | 1]),
  ]);
  return alignedRows([...headings, ...lines])
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function cell(measure: SeedMean | null): string {
  if (measure === null) return '-';
  const { mean, spread } = measure;
  const shown = thousandths(mean);
  return spread === undefined
    ? `${shown}   `
    : `${shown}±${String(Math.round(spread * 1000)).padStart(2, '0')}`;
}

/** .953, and 1.00 for what would be 1.000. */
function thousandths(value: number): string {
  const text = value.toFixed(3);
  return text.startsWith('0') ? text.slice(1) : text.slice(0, 4);
}

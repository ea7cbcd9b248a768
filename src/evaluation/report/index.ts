export { comparisonTable, differenceTable } from './comparison-table.js';
export { type EvaluationTableOptions, evaluationTable, type LabelledRun } from './evaluation-table.js';
export { htmlReport, type ReportContent } from './html-report.js';
export type { Cell, Table } from './table.js';
export { csvTable, jsonTable, latexTable, markdownTable } from './table-formats.js';

import { GranuleError } from '../../errors.js';
import { withDefaults } from '../option-checks.js';
import {
  BOOTSTRAP_DEFAULTS,
  type BootstrapOptions,
  bootstrapIntervals,
} from '../significance/bootstrap-interval.js';
import { comparableMeasures, largestDifferences, type RunComparison } from '../significance/compare-runs.js';
import { fourDecimals } from '../trec-eval-text.js';
import { type BarGroup, barChart } from './bar-chart.js';
import { comparisonTable, differenceTable } from './comparison-table.js';
import { differenceChart, signed } from './difference-chart.js';
import { evaluationTable, type LabelledRun } from './evaluation-table.js';
import { type PrecisionRecallCurve, precisionRecallChart } from './precision-recall-chart.js';
import { REPORT_STYLE } from './report-style.js';
import { escaped } from './svg.js';
import { probabilityCell, shownText, type Table } from './table.js';

/** What a report is about. */
export interface ReportContent {
  readonly title: string;
  /** Measured by the same measures. With `iprec_at_recall` among them the report has curves of precision over recall. */
  readonly runs: readonly LabelledRun[];
  /** Of the runs after the first with the first, as `compareRuns` gives them; none where runs are not compared. */
  readonly comparisons?: readonly RunComparison[];
}

const CURVE = /^iprec_at_recall_/;
const LARGEST = 10;

/**
 * A report of runs as one HTML file that needs nothing else: bars of measures with bootstrap intervals, curves of interpolated precision over
 * recall, per-query differences from the baseline by the first measure that was compared, and tables of everything. It has no
 * scripts, follows the reader's choice of light or dark, and says in words what its pictures show. Equal input gives equal bytes.
 *
 * @param options - of the intervals
 * @throws GranuleError `INVALID_ARGUMENT` where there is no run, and for wrong options
 */
export function htmlReport(content: ReportContent, options: BootstrapOptions = {}): string {
  const { title, runs, comparisons = [] } = content;
  const bootstrap = withDefaults<Required<BootstrapOptions>>(options, BOOTSTRAP_DEFAULTS, 'htmlReport');
  if (runs.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'a report needs at least one run');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escaped(title)}</title>`,
    `<style>${REPORT_STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escaped(title)}</h1>`,
    `<p class="quiet">${escaped(introduction(runs))}</p>`,
    measuresSection(runs, bootstrap),
    curvesSection(runs),
    ...comparisonSections(runs, comparisons),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function introduction(runs: readonly LabelledRun[]): string {
  const counts = new Set(runs.map(({ evaluation }) => evaluation.queries.length));
  const [first] = runs;
  if (counts.size === 1) {
    return `${plural(runs.length, 'run')}, measured on ${plural(first!.evaluation.queries.length, 'query', 'queries')}.`;
  }
  const each = runs.map(({ label, evaluation }) => `${label} on ${evaluation.queries.length}`);
  return `${plural(runs.length, 'run')}, measured on different numbers of queries: ${each.join(', ')}.`;
}

function measuresSection(runs: readonly LabelledRun[], options: Required<BootstrapOptions>): string {
  const groups = barGroups(runs, options);
  const description = groups
    .map(
      ({ name, bars }) =>
        `${name}: ${bars.map(({ label, mean }) => `${label} ${fourDecimals(mean)}`).join(', ')}.`,
    )
    .join(' ');
  const chart = figure(
    barChart({ id: 'measures', title: 'Means over queries', description }, groups),
    'Measures of the runs',
    `Means over queries, with bootstrap intervals of ${percent(options.confidence)}. Shown are measures from 0 to 1.`,
  );
  return [
    '<h2>Measures</h2>',
    groups.length > 0 ? chart : '',
    details('All measures', htmlTable(evaluationTable(runs), 'Measures of each run')),
  ].join('\n');
}

/** Means over queries that lie from 0 to 1; those that the curves show are not among them. */
function barGroups(runs: readonly LabelledRun[], options: Required<BootstrapOptions>): BarGroup[] {
  const names = comparableMeasures(runs[0]!.evaluation).filter((name) => !CURVE.test(name));
  const intervals = runs.map(({ evaluation }) =>
    bootstrapIntervals(
      names.map((name) => evaluation.perQuery.get(name)!),
      options,
    ),
  );
  return names
    .map((name, measure) => ({
      name,
      bars: runs.map(({ label }, run) => ({ label, ...intervals[run]![measure]! })),
    }))
    .filter(({ bars }) => bars.every(({ low, high }) => low >= 0 && high <= 1));
}

function curvesSection(runs: readonly LabelledRun[]): string {
  const curves = runs.map(({ label, evaluation }): PrecisionRecallCurve => {
    const values = [...evaluation.aggregate].filter(([name]) => CURVE.test(name));
    return {
      label,
      recalls: values.map(([name]) => Number(name.replace(CURVE, ''))),
      precisions: values.map(([, value]) => value),
    };
  });
  if (curves[0]!.recalls.length < 2) return '';
  const description = curves
    .map(({ label, recalls, precisions }) => {
      const points = recalls.map((recall, i) => `${fourDecimals(precisions[i]!)} at ${recall}`);
      return `${label}: precision ${points.join(', ')}.`;
    })
    .join(' ');
  return [
    '<h2>Precision and recall</h2>',
    figure(
      precisionRecallChart(
        { id: 'curves', title: 'Interpolated precision over recall', description },
        curves,
      ),
      'Precision over recall',
      'Interpolated precision at recalls, means over queries.',
    ),
  ].join('\n');
}

function comparisonSections(runs: readonly LabelledRun[], comparisons: readonly RunComparison[]): string[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  const baseline = runs[0]!.label;
  const labels = runs.slice(1).map(({ label }) => label);
  const shown = comparisons.filter(({ measure }) => measure === first.measure);
  const table = htmlTable(comparisonTable(comparisons, labels), `Differences from ${baseline}`, 2);
  const explanation = [
    `The mean of each run and its difference from ${baseline}, with the bootstrap interval of`,
    `${percent(first.confidence)} from low to high; p of the paired randomisation test, two-sided, and the same after`,
    "Holm's correction over the runs of a measure; queries on which the run is better (wins), equal (ties) and",
    'worse (losses).',
  ].join(' ');
  return [
    '<h2>Comparison</h2>',
    `<p>${escaped(explanation)}</p>`,
    scrollable(table, 'Comparison of the runs'),
    ...shown.map((comparison) => differenceSection(comparison, labels[comparison.run]!, baseline)),
  ];
}

function differenceSection(comparison: RunComparison, label: string, baseline: string): string {
  const { measure, run, queries, differences } = comparison;
  const title = `${label} less ${baseline} by ${measure}`;
  const largest = largestDifferences(comparison, LARGEST);
  return [
    `<h2>${escaped(title)}</h2>`,
    `<p>${escaped(comparisonSentence(comparison))}</p>`,
    figure(
      differenceChart(
        { id: `differences-${run}`, title, description: comparisonSentence(comparison) },
        queries,
        differences,
      ),
      `Differences per query: ${title}`,
      `A bar per query: up where ${label} is better, down where ${baseline} is.`,
    ),
    largest.length > 0
      ? details(
          'Queries that differ most',
          htmlTable(differenceTable(largest), `Largest differences: ${title}`),
        )
      : '',
  ].join('\n');
}

function comparisonSentence({ difference, correctedPValue, wins, ties, losses }: RunComparison): string {
  const { mean, low, high } = difference;
  const p = shownText(probabilityCell(correctedPValue)).replace(/^(<?)/, (sign) => `${sign || '='} `);
  const found = `better on ${plural(wins, 'query', 'queries')}, equal on ${ties}, worse on ${losses}`;
  return `${signed(mean)} (interval ${signed(low)} to ${signed(high)}), corrected p ${p}: ${found}.`;
}

function figure(chart: string, name: string, caption: string): string {
  return `<figure>\n${scrollable(chart, name)}\n<figcaption>${escaped(caption)}</figcaption>\n</figure>`;
}

/** Something that may be wider than the screen: it can be reached and moved by the keyboard. */
function scrollable(content: string, name: string): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(name)}">\n${content}\n</div>`;
}

function details(summary: string, content: string): string {
  return `<details>\n<summary>${escaped(summary)}</summary>\n${scrollable(content, summary)}\n</details>`;
}

/** @param heads - how many columns name the row */
function htmlTable({ columns, rows }: Table, caption: string, heads = 1): string {
  const look = (isNumeric: boolean) => (isNumeric ? ' class="number"' : '');
  const head = columns.map(
    ({ name, isNumeric }) => `<th scope="col"${look(isNumeric)}>${escaped(name)}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => {
      const text = escaped(shownText(cell));
      return i < heads ? `<th scope="row">${text}</th>` : `<td${look(columns[i]!.isNumeric)}>${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return [
    '<table>',
    `<caption>${escaped(caption)}</caption>`,
    `<thead><tr>${head.join('')}</tr></thead>`,
    '<tbody>',
    ...body,
    '</tbody>',
    '</table>',
  ].join('\n');
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`;
}

/**
 * Renders bench/results/*.json: everything between the markers in docs/benchmarks.md, the headlines between those in
 * README.md, and one chart per machine beside the former.
 *
 *     node bench/render-tables.mjs [--check]
 *
 * `--check` writes nothing and ends with status 1 where a document is not what the results say.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderChart } from './render-chart.mjs';
import { renderReport, renderSummary } from './render-report.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';
const DOCUMENTS = [
  { path: 'docs/benchmarks.md', render: renderReport, charts: 'benchmarks' },
  { path: 'README.md', render: renderSummary, charts: 'docs/benchmarks' },
];

/** What the documents must be, by path, from all results. */
export function renderAll(root) {
  const folder = join(root, 'bench', 'results');
  const reports = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const files = new Map();
  for (const report of reports) {
    files.set(`docs/benchmarks/${report.machine.name}.svg`, renderChart(report));
  }
  for (const { path, render, charts } of DOCUMENTS) {
    const text = readFileSync(join(root, path), 'utf8');
    files.set(path, between(text, path, reports.map((report) => render(report, charts)).join('\n\n')));
  }
  return files;
}

function between(text, path, body) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new Error(`${path} lacks ${BEGIN} or ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n${body}\n${text.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let stale = 0;
  for (const [file, text] of renderAll(ROOT)) {
    const path = join(ROOT, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    stale++;
    process.stdout.write(`${file}\n`);
    if (process.argv.includes('--check')) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  if (process.argv.includes('--check') && stale > 0) process.exitCode = 1;
}

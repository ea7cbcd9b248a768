/**
 * Renders bench/results/*.json: tables between the markers in docs/benchmarks.md (and in README.md, where it has them),
 * and one chart per machine beside them.
 *
 *     node bench/render-tables.mjs [--check]
 *
 * `--check` writes nothing and ends with status 1 where a document is not what the results say.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderChart } from './render-chart.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';
const DOCUMENTS = ['docs/benchmarks.md', 'README.md'];

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
  for (const document of DOCUMENTS) {
    if (!existsSync(join(root, document))) continue;
    const text = readFileSync(join(root, document), 'utf8');
    if (!text.includes(BEGIN)) continue;
    const charts = document.startsWith('docs/') ? 'benchmarks' : 'docs/benchmarks';
    const body = reports.map((report) => renderReport(report, charts)).join('\n\n');
    files.set(document, between(text, document, body));
  }
  return files;
}

function between(text, document, body) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (end === -1) throw new Error(`${document} has ${BEGIN} without ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n${body}\n${text.slice(end)}`;
}

/** One machine as Markdown. */
export function renderReport(report, charts) {
  const { machine, roofline, results, skipped, rounds } = report;
  const parts = [
    `## ${machine.cpu}, ${machine.cores} cores`,
    `${machine.platform}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB of memory, Node ${machine.node}, granule ${machine.granule} (${machine.isa}, ${machine.compiler}), ${rounds} rounds.`,
    rooflineTable(roofline, report.rooflineReason),
    ...[...new Set(results.map(({ workload }) => workload))].map((workload) =>
      workloadTable(
        workload,
        results.filter((result) => result.workload === workload),
      ),
    ),
    `![Time of each contender](${charts}/${machine.name}.svg)`,
    skippedTable(skipped),
  ];
  return `\n${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function rooflineTable(rooflines, reason) {
  if (rooflines.length === 0) return `The roofline was not measured: ${reason}.`;
  const rows = rooflines.map((roofline) => [
    roofline.threads,
    giga(roofline.readBytesPerSecond),
    giga(roofline.copyBytesPerSecond),
    giga(roofline.f32OperationsPerSecond),
    `${giga(roofline.int8OperationsPerSecond)} (${roofline.int8Instruction})`,
  ]);
  return table(['threads', 'read GB/s', 'copy GB/s', 'float32 GFLOP/s', 'int8 Gop/s'], rows);
}

function workloadTable(workload, results) {
  const sorted = [...results].sort((a, b) => a.threads - b.threads || a.medianSeconds - b.medianSeconds);
  const rows = sorted.map((result) => [
    result.contender,
    result.threads,
    milliseconds(result.medianSeconds),
    percent(result.spread),
    number(result.queriesPerSecond),
    giga(result.bytesPerSecond),
    giga(result.operationsPerSecond),
    result.shareOfRoofline === null ? '' : `${percent(result.shareOfRoofline)} (${result.boundBy})`,
    result.correct.recall === null ? '' : result.correct.recall.toFixed(4),
    result.correct.bitEqual === null ? '' : result.correct.bitEqual ? 'yes' : '**no**',
  ]);
  const head = [
    'contender',
    'threads',
    'median ms',
    'spread',
    'queries/s',
    'GB/s',
    'Gop/s',
    'of the roofline',
    'recall',
    'bits equal',
  ];
  const delays = sorted
    .filter(({ eventLoopDelayP99Seconds }) => eventLoopDelayP99Seconds !== undefined)
    .map(
      ({ contender, threads, eventLoopDelayP99Seconds }) =>
        `${contender}, ${threads} threads: the event loop's delay is ${milliseconds(eventLoopDelayP99Seconds)} ms at the 99th percentile.`,
    );
  return [`### ${workload}`, table(head, rows), ...delays].join('\n\n');
}

/** Reasons that are the same for several workloads take one line. */
function skippedTable(skipped) {
  if (skipped.length === 0) return '';
  const groups = new Map();
  for (const { workload, contender, threads, reason } of skipped) {
    const key = JSON.stringify([contender, threads, reason]);
    groups.set(key, [...(groups.get(key) ?? []), workload]);
  }
  const rows = [...groups].map(([key, workloads]) => {
    const [contender, threads, reason] = JSON.parse(key);
    return [contender, threads, workloads.join(', '), reason.replaceAll('|', '\\|')];
  });
  return `### Not run\n\n${table(['contender', 'threads', 'workloads', 'why'], rows)}`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function milliseconds(seconds) {
  const value = seconds * 1000;
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`;
}

function number(value) {
  return value === null ? '' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function giga(value) {
  return value === null ? '' : (value / 1e9).toFixed(1);
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

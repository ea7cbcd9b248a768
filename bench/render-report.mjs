import { HEADLINES } from './headlines.mjs';
import { furtherFigures } from './report-lines.mjs';
import { fastestPeer, targetsOf, verdict } from './targets.mjs';

/** One machine's report as Markdown: what is aimed for, every result, and what was not run. */
export function renderReport(report, charts) {
  const { machine, roofline, results, skipped, rounds } = report;
  const parts = [
    heading(machine),
    `${machine.platform}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB of memory, Node ${machine.node}, granule ${machine.granule} (${machine.isa}, ${machine.compiler}), up to ${rounds} rounds.`,
    noteOf(report),
    rooflineTable(roofline, report.rooflineReason),
    targetsTable(report),
    chart(charts, machine),
    ...workloadsOf(results).map((workload) =>
      workloadTable(
        workload,
        results.filter((result) => result.workload === workload),
      ),
    ),
    skippedTable(skipped),
  ];
  return joined(parts);
}

/** One machine's headlines as Markdown: granule and the fastest of those who are exact too. */
export function renderSummary(report, charts) {
  const { machine, results } = report;
  const rows = [];
  for (const workload of HEADLINES) {
    for (const threads of [1, 2]) {
      const own = results.find(
        (one) => one.workload === workload && one.contender === 'ours-cpu' && one.threads === threads,
      );
      const peer = fastestPeer(results, workload, threads);
      if (own === undefined || peer === undefined) continue;
      rows.push([
        workload,
        threads,
        milliseconds(own.medianSeconds),
        `${milliseconds(peer.medianSeconds)} (${peer.contender})`,
        `${(peer.medianSeconds / own.medianSeconds).toFixed(1)} x`,
      ]);
    }
  }
  const head = ['workload', 'threads', 'granule, ms', 'fastest exact peer, ms', ''];
  const parts = [
    `${machine.cpu}, ${machine.cores} cores (${machine.isa}):`,
    noteOf(report),
    table(head, rows),
    chart(charts, machine),
  ];
  return joined(parts);
}

function joined(parts) {
  return `\n${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function heading(machine) {
  return `## ${machine.cpu}, ${machine.cores} cores`;
}

/** What the one who measured says about it. */
function noteOf({ note }) {
  return note === null ? '' : `*${note}*`;
}

function chart(charts, machine) {
  return `![Queries a second of each contender](${charts}/${machine.name}.svg)`;
}

function workloadsOf(results) {
  return [...new Set(results.map(({ workload }) => workload))];
}

function rooflineTable(rooflines, reason) {
  if (rooflines.length === 0) return `The roofline was not measured: ${reason}.`;
  const rows = rooflines.map((roofline) => [
    roofline.threads,
    giga(roofline.readBytesPerSecond),
    giga(roofline.copyBytesPerSecond),
    giga(roofline.freshBytesPerSecond),
    giga(roofline.f32OperationsPerSecond),
    `${giga(roofline.int8OperationsPerSecond)} (${roofline.int8Instruction})`,
  ]);
  return table(
    ['threads', 'read GB/s', 'copy GB/s', 'first touch GB/s', 'float32 GFLOP/s', 'int8 Gop/s'],
    rows,
  );
}

function targetsTable(report) {
  const rows = targetsOf(report).map((target) => {
    const { what, threads, measured, must, aim, unit, less, peer } = target;
    const limit = (value) => (value === null ? '' : `${less ? 'under' : 'at least'} ${inUnit(value, unit)}`);
    const judged = verdict(target);
    return [
      peer === undefined ? what : `${what} (${peer})`,
      threads,
      measured === null ? '' : inUnit(measured, unit),
      limit(must),
      limit(aim),
      judged === 'missed' ? '**missed**' : judged,
    ];
  });
  return `### Targets\n\n${table(['', 'threads', 'measured', 'must be', 'aim', ''], rows)}`;
}

function inUnit(value, unit) {
  switch (unit) {
    case 'x':
      return `${value.toFixed(2)} x`;
    case 'ms':
      return `${Number((value * 1000).toPrecision(3))} ms`;
    default:
      return `${Number((value * 100).toPrecision(value < 0.01 ? 2 : 3))} %`;
  }
}

function workloadTable(workload, results) {
  const sorted = [...results].sort((a, b) => a.threads - b.threads || a.medianSeconds - b.medianSeconds);
  const rows = sorted.map((result) => [
    result.exact ? result.contender : `${result.contender} (not exact)`,
    result.threads,
    milliseconds(result.medianSeconds),
    result.p99Seconds === undefined ? '' : milliseconds(result.p99Seconds),
    percent(result.spread),
    number(result.queriesPerSecond),
    giga(result.bytesPerSecond),
    giga(result.operationsPerSecond),
    result.shareOfRoofline === null ? '' : `${percent(result.shareOfRoofline)} (${result.boundBy})`,
    result.coresUsed.toFixed(2),
    result.correct.recall.toFixed(4),
    result.correct.bitEqual === null ? '' : result.correct.bitEqual ? 'yes' : '**no**',
  ]);
  const head = [
    'contender',
    'threads',
    'median ms',
    'p99 ms',
    'spread',
    'queries/s',
    'GB/s',
    'Gop/s',
    'of the roofline',
    'cores used',
    'recall',
    'bits equal',
  ];
  return [`### ${workload}`, table(head, rows), ...notes(sorted)].join('\n\n');
}

/** What the columns do not say, a line each. */
function notes(results) {
  const lines = [];
  for (const result of results) {
    const said = [...furtherFigures(result)];
    if (result.queriesTimed !== undefined) {
      said.push(`timed with ${result.queriesTimed} of the queries, and scaled to all of them`);
    }
    if (result.firstSeconds !== undefined) {
      said.push(`the first call of a process takes ${milliseconds(result.firstSeconds)} ms`);
    }
    if (said.length > 0) lines.push(`- ${result.contender}, threads: ${result.threads}: ${said.join('; ')}`);
  }
  return lines.length === 0 ? [] : [lines.join('\n')];
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

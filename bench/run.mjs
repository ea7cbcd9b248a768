/**
 * Measures granule and its contenders: `npm run bench -- --help`. The report is written again after every step.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENDERS } from './contenders/contender-list.mjs';
import { writeDataset } from './dataset.mjs';
import { Journal } from './journal.mjs';
import { better, describeMachine, measureRooflines } from './machine.mjs';
import { entriesOf, measureFamily } from './measure-family.mjs';
import { readOptions, USAGE } from './options.mjs';
import { makeOracle, oracleKey } from './oracle.mjs';
import { absence } from './refusals.mjs';
import { resultLine, rooflineLine } from './report-lines.mjs';
import { resultsOf } from './results.mjs';
import { datasetOf, familyOf } from './workloads.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else if (options.list) await list(options);
  else await run(options);
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}

async function run(options) {
  const started = Date.now();
  const machine = describeMachine();
  say(`${machine.cpu}, ${machine.cores} cores, ${machine.isa}, node ${machine.node}`);
  const threadCounts = options.threadCounts.filter((threads) => threads <= availableParallelism());
  for (const threads of options.threadCounts.filter((count) => !threadCounts.includes(count))) {
    say(`no run with ${threads} threads: there are ${availableParallelism()} cores`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'granule-bench-'));
  // Gigabytes of vectors must not stay behind.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

  const file =
    options.json ?? (options.everything ? join(HERE, 'results', `${machine.name}.json`) : undefined);
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const journal = new Journal(file === undefined ? join(folder, 'journal') : `${file}.journal`);
  const known = options.onlyMissing ? knownReport(file, machine) : undefined;
  if (!options.onlyMissing && journal.cells.length > 0) journal.clear();
  const isKnown = knownCells(known, journal);

  const { rooflines, reason } = await roofline(options, threadCounts, known?.roofline ?? []);
  if (reason !== undefined) say(`without a roofline: ${reason}`);
  for (const each of rooflines) say(rooflineLine(each));

  const skipped = [];
  const write = () => {
    const { results, failed } = resultsOf(journal.cells, CONTENDERS, rooflines);
    const met = new Set([...results, ...skipped, ...failed].map(cellKey));
    const report = {
      machine,
      note: options.note ?? known?.note ?? null,
      rounds: options.rounds,
      roofline: rooflines,
      rooflineReason: reason ?? null,
      results: [...(known?.results ?? []).filter(isKnown), ...results],
      skipped: [...(known?.skipped ?? []).filter((cell) => !met.has(cellKey(cell))), ...skipped, ...failed],
    };
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    return report;
  };

  for (const group of groupsOf(options.workloads, datasetOf, ({ key }) => key)) {
    let dataset;
    const oracles = new Map();
    const oracleOf = (workload) => {
      const key = oracleKey(workload);
      if (!oracles.has(key)) oracles.set(key, makeOracle(workload, dataset));
      return oracles.get(key);
    };
    for (const family of groupsOf(group, familyOf, (name) => name)) {
      const found = await entriesOf(family, options.contenders, threadCounts, options.memory);
      skipped.push(...found.skipped);
      const entries = found.entries
        .map((entry) => ({
          ...entry,
          workloads: entry.workloads.filter(
            ({ name }) =>
              !isKnown({ workload: name, contender: entry.contender.name, threads: entry.threads }),
          ),
        }))
        .filter(({ workloads }) => workloads.length > 0);
      if (entries.length === 0) continue;
      try {
        dataset ??= await writeDataset(folder, datasetOf(family[0]));
      } catch (error) {
        skipped.push(...entries.flatMap((entry) => notRun(entry, error.message)));
        continue;
      }
      await measureFamily(entries, {
        ...options,
        dataset,
        oracleOf,
        journal,
        cpuFeatures: machine.cpuFeatures,
        onRound(entry, workloads, round, rounds) {
          write();
          const names =
            workloads.length > 2
              ? `${workloads.length} workloads`
              : workloads.map(({ name }) => name).join(', ');
          say(
            `[${minutes(started)}] ${names}: ${entry.contender.name}, ${entry.threads} threads, round ${round + 1} of ${rounds}`,
          );
        },
      });
      const names = new Set(family.map(({ name }) => name));
      for (const result of write().results) if (names.has(result.workload)) say(resultLine(result));
    }
    dataset?.remove();
  }
  if (rooflines.length > 0) {
    // Once more: what disturbed the first measurement would flatter every share.
    rooflines.push(...(await roofline(options, threadCounts, rooflines.splice(0))).rooflines);
    for (const each of rooflines) say(rooflineLine(each));
  }
  for (const { workload, contender, threads, reason: why } of write().skipped) {
    say(`not run: ${workload} ${contender} ${threads} threads: ${why}`);
  }
  journal.remove();
  say(`${minutes(started)} in all${file === undefined ? '' : `; written to ${file}`}`);
}

/** What the machine can do at most: the better of what was measured before and of what is measured now. */
async function roofline(options, threadCounts, before) {
  if (!options.roofline) {
    return { rooflines: before, reason: before.length > 0 ? undefined : 'it was not asked for' };
  }
  const { rooflines, reason } = await measureRooflines(threadCounts);
  const both = new Map(before.map((each) => [each.threads, each]));
  for (const each of rooflines) both.set(each.threads, better(each, both.get(each.threads)));
  return { rooflines: [...both.values()], reason: both.size > 0 ? undefined : reason };
}

/** The report that is to be completed, if there is one. */
function knownReport(file, machine) {
  if (file === undefined) throw new Error('--only-missing needs the report to complete: --json <file>');
  if (!existsSync(file)) return undefined;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (report.machine.name !== machine.name) {
    throw new Error(`${file} is of another machine: ${report.machine.name}, and this is ${machine.name}`);
  }
  return report;
}

/** Whether a result is in the finished report; what the journal has begun is not. */
function knownCells(known, journal) {
  const begun = new Set(journal.cells.map(({ of }) => JSON.stringify(of)));
  const done = new Set((known?.results ?? []).map(cellKey));
  return (cell) => done.has(cellKey(cell)) && !begun.has(cellKey(cell));
}

function cellKey({ workload, contender, threads }) {
  return JSON.stringify([workload, contender, threads]);
}

function notRun({ contender, threads, workloads }, reason) {
  return workloads.map(({ name }) => ({ workload: name, contender: contender.name, threads, reason }));
}

async function list({ workloads, contenders }) {
  say('workloads (other sizes are named alike):');
  for (const { name } of workloads) say(`  ${name}`);
  say('contenders:');
  for (const contender of contenders) {
    const reason = await absence(contender);
    say(`  ${contender.name}${reason === undefined ? '' : ` (cannot run here: ${reason})`}`);
  }
}

/** Workloads that have something in common together, in the order of the first of each. */
function groupsOf(workloads, property, key) {
  const groups = new Map();
  for (const workload of workloads) {
    const name = key(property(workload));
    groups.set(name, [...(groups.get(name) ?? []), workload]);
  }
  return groups.values();
}

function minutes(started) {
  const seconds = Math.round((Date.now() - started) / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

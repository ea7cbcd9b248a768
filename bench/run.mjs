/**
 * Measures granule and its contenders.
 *
 *     npm run bench -- [--workload <name>] [--contender <name>] [--threads <n>] [--rounds <n>]
 *                      [--time-limit <seconds>] [--no-roofline] [--json <file>] [--list]
 *
 * Each of `--workload`, `--contender` and `--threads` may come several times, or hold several names between commas; all
 * by default. A contender that takes longer than the time limit (300 s) to open or to answer is given up. A run of everything also writes bench/results/<machine>.json, unless `--json` names another file.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTENDERS } from './contenders/contender-list.mjs';
import { writeDataset } from './dataset.mjs';
import { describeMachine, measureRooflines } from './machine.mjs';
import { measureWorkload } from './measure-workload.mjs';
import { absence, refusals } from './refusals.mjs';
import { datasetOf, parseWorkload, WORKLOADS } from './workloads.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

const { values: options } = parseArgs({
  options: {
    workload: { type: 'string', multiple: true },
    contender: { type: 'string', multiple: true },
    threads: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    'time-limit': { type: 'string', default: '300' },
    json: { type: 'string' },
    'no-roofline': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const workloads = chosen(options.workload, WORKLOADS).map(
  (name) => parseWorkload(name) ?? fail(`there is no workload ${name}; --list shows them`),
);
const contenders = chosen(
  options.contender,
  CONTENDERS.map(({ name }) => name),
).map(
  (name) => CONTENDERS.find((contender) => contender.name === name) ?? fail(`there is no contender ${name}`),
);
const threadCounts = chosen(options.threads, ['1', '2']).map(wholeNumber);
const rounds = wholeNumber(options.rounds);
const timeLimit = wholeNumber(options['time-limit']);

if (options.list) await list();
else await run();

async function run() {
  const machine = describeMachine();
  say(`${machine.cpu}, ${machine.cores} cores, ${machine.isa}, node ${machine.node}`);
  const usable = threadCounts.filter((threads) => threads <= availableParallelism());
  for (const threads of threadCounts.filter((count) => !usable.includes(count))) {
    say(`no run with ${threads} threads: there are ${availableParallelism()} cores`);
  }
  const { rooflines, reason } = options['no-roofline']
    ? { rooflines: [], reason: 'it was not asked for' }
    : await measureRooflines(usable);
  if (reason !== undefined) say(`without a roofline: ${reason}`);
  for (const roofline of rooflines) say(rooflineLine(roofline));
  const folder = mkdtempSync(join(tmpdir(), 'granule-bench-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  // Gigabytes of vectors must not stay behind.
  process.on('exit', clean);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  const results = [];
  const skipped = [];
  try {
    for (const [key, group] of byDataset(workloads)) {
      let dataset;
      const oracles = new Map();
      for (const workload of group) {
        for (const threads of usable) {
          const refused = await refusals(contenders, { workload, threads });
          skipped.push(...refused.skipped);
          if (refused.able.length === 0) continue;
          dataset ??= writeDataset(folder, datasetOf(workload));
          const measured = await measureWorkload(refused.able, {
            workload,
            threads,
            dataset,
            oracles,
            rounds,
            timeLimit,
            cpuFeatures: machine.cpuFeatures,
            roofline: rooflines.find((roofline) => roofline.threads === threads),
          });
          for (const result of measured.results) say(resultLine(result));
          results.push(...measured.results);
          skipped.push(...measured.skipped);
        }
      }
      dataset?.remove();
      say(`${key}: done`);
    }
  } finally {
    clean();
  }
  for (const { workload, contender, threads, reason: why } of skipped) {
    say(`not run: ${workload} ${contender} ${threads} threads: ${why}`);
  }
  const report = { machine, rounds, roofline: rooflines, rooflineReason: reason ?? null, results, skipped };
  write(report, machine.name);
}

function write(report, name) {
  const partial = [options.workload, options.contender, options.threads].some((names) => names !== undefined);
  const file = options.json ?? (partial ? undefined : join(HERE, 'results', `${name}.json`));
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  say(`written to ${file}`);
}

async function list() {
  say('workloads (other sizes are named alike):');
  for (const { name } of workloads) say(`  ${name}`);
  say('contenders:');
  for (const contender of contenders) {
    const reason = await absence(contender);
    say(`  ${contender.name}${reason === undefined ? '' : ` (cannot run here: ${reason})`}`);
  }
}

/** Workloads of the same vectors together, in the order of the first of each. */
function byDataset(all) {
  const groups = new Map();
  for (const workload of all) {
    const { key } = datasetOf(workload);
    groups.set(key, [...(groups.get(key) ?? []), workload]);
  }
  return groups;
}

function chosen(names, all) {
  return names === undefined ? all : names.flatMap((name) => name.split(',')).filter((name) => name !== '');
}

function wholeNumber(text) {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : fail(`${text} is not a whole number of at least 1`);
}

function rooflineLine(roofline) {
  const giga = (value) => (value / 1e9).toFixed(1);
  return `${roofline.threads} threads at most: read ${giga(roofline.readBytesPerSecond)} GB/s, copy ${giga(roofline.copyBytesPerSecond)} GB/s, f32 ${giga(roofline.f32OperationsPerSecond)} GFLOP/s, int8 ${giga(roofline.int8OperationsPerSecond)} Gop/s`;
}

function resultLine({ workload, contender, threads, medianSeconds, spread, shareOfRoofline, correct }) {
  const share = shareOfRoofline === null ? '' : `, ${(shareOfRoofline * 100).toFixed(0)} % of the roofline`;
  const right = correct.recall === null ? '' : `, recall ${correct.recall}`;
  const bits = correct.bitEqual === null ? '' : `, bits ${correct.bitEqual ? 'equal' : 'DIFFER'}`;
  return `${workload} ${contender} ${threads} threads: ${(medianSeconds * 1000).toPrecision(4)} ms (spread ${(spread * 100).toFixed(0)} %)${share}${right}${bits}`;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function fail(message) {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}

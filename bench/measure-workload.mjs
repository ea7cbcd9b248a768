import { freemem } from 'node:os';
import { ContenderProcess } from './contender-process.mjs';
import { judge, makeOracle, sampledQueries } from './oracle.mjs';
import { memoryNeed } from './refusals.mjs';
import { summary } from './statistics.mjs';
import { demand, queryCount } from './workloads.mjs';

/** Seconds that a contender is timed in a round. */
const ROUND_SECONDS = 0.3;
const WARM_UP_SECONDS = 0.1;
const MOST_CALLS = 2000;
/** Share of the free memory that contenders may hold at once. */
const MEMORY_SHARE = 0.8;

/**
 * Measures contenders on one workload, in turns: round by round, so that whatever else the machine does meets all alike.
 * They stay open between the rounds where memory holds them all, and are opened anew in each round otherwise.
 *
 * @param contenders those that can run
 * @param task `{ workload, threads, dataset, oracles, rounds, timeLimit, cpuFeatures, roofline }`; `oracles` is a Map that
 * keeps oracles for workloads of the same dataset
 * @returns `{ results, skipped }`
 */
export async function measureWorkload(contenders, task) {
  const { workload, threads, rounds } = task;
  const need = contenders.reduce((sum, contender) => sum + memoryNeed(contender, workload), 0);
  const resident = need <= freemem() * MEMORY_SHARE;
  const entries = contenders.map((contender) => ({ contender, seconds: [], process: undefined }));
  const skipped = [];
  const attempt = async (entry, work) => {
    if (entry.failed) return;
    try {
      await work(entry);
    } catch (error) {
      entry.failed = true;
      await entry.process?.end();
      skipped.push({
        workload: workload.name,
        contender: entry.contender.name,
        threads,
        reason: error.message,
      });
    }
  };
  for (let round = 0; round < rounds; round++) {
    if (resident && round === 0) for (const entry of entries) await attempt(entry, (e) => open(e, task));
    for (const entry of entries) {
      await attempt(entry, async (e) => {
        if (!resident) await open(e, task);
        const timing = { do: 'time', seconds: ROUND_SECONDS, least: 1, most: MOST_CALLS };
        const reply = await e.process.ask(timing, task.timeLimit);
        e.seconds.push(...reply.seconds);
        e.measured = reply.measured;
        if (round === rounds - 1) {
          const queries = sampledQueries(workload, task.dataset);
          e.answers = (await e.process.ask({ do: 'answer', queries }, task.timeLimit)).answers;
        }
        if (!resident) await e.process.end();
      });
    }
  }
  if (resident) for (const entry of entries) await attempt(entry, (e) => e.process.end());
  const done = entries.filter((entry) => !entry.failed);
  return { results: done.map((entry) => result(entry, task)), skipped };
}

async function open(entry, task) {
  const { workload, threads, dataset, timeLimit, cpuFeatures } = task;
  const request = { workload, threads, dataset, queryCount: queryCount(workload) };
  entry.process = new ContenderProcess(entry.contender, request, cpuFeatures);
  Object.assign(entry, await entry.process.opened(timeLimit));
  const warmUp = { do: 'time', seconds: WARM_UP_SECONDS, least: 1, most: MOST_CALLS };
  await entry.process.ask(warmUp, timeLimit);
}

function result(entry, task) {
  const { workload, threads, dataset, roofline } = task;
  const { median, spread } = summary(entry.seconds);
  const { bytes, operations } = demand(workload, entry.elementBytes);
  const bytesPerSecond = bytes === undefined ? null : bytes / median;
  const operationsPerSecond = operations === undefined ? null : operations / median;
  return {
    workload: workload.name,
    contender: entry.contender.name,
    threads,
    medianSeconds: median,
    spread,
    calls: entry.seconds.length,
    queriesPerSecond: ['add', 'open', 'events'].includes(workload.kind) ? null : workload.batch / median,
    bytesPerSecond,
    operationsPerSecond,
    ...roofShare({ bytesPerSecond, operationsPerSecond, arithmetic: entry.arithmetic }, roofline),
    ...entry.measured,
    correct: judge(oracleOf(task), entry.answers, workload.k, entry.contender.claimsBits),
  };

  function oracleOf({ oracles }) {
    const key = `${workload.kind} ${sampledQueries(workload, dataset)} ${workload.patches} ${workload.queryVectors}`;
    if (!oracles.has(key)) oracles.set(key, makeOracle(workload, dataset));
    return oracles.get(key);
  }
}

/** The larger of the shares of what memory and of what the arithmetic units can do: the one that bounds. */
function roofShare({ bytesPerSecond, operationsPerSecond, arithmetic }, roofline) {
  if (roofline === undefined) return { shareOfRoofline: null, boundBy: null };
  const shares = [];
  if (bytesPerSecond !== null) shares.push(['memory', bytesPerSecond / roofline.readBytesPerSecond]);
  if (operationsPerSecond !== null) {
    const peak = arithmetic === 'int8' ? roofline.int8OperationsPerSecond : roofline.f32OperationsPerSecond;
    shares.push([arithmetic, operationsPerSecond / peak]);
  }
  shares.sort((a, b) => b[1] - a[1]);
  const [boundBy, shareOfRoofline] = shares[0] ?? [null, null];
  return { shareOfRoofline, boundBy };
}

import { ContenderProcess } from './contender-process.mjs';
import { judge } from './oracle.mjs';
import { memoryNeed, refusals } from './refusals.mjs';
import { roundsFor, timeRound, wantsRound } from './timing.mjs';
import { threadsDoNotMatter } from './workloads.mjs';

/**
 * Measures contenders on the workloads of one family, in turns: round by round, so that whatever else the machine does
 * meets all alike. Processes stay open between the rounds where memory holds them all, and are opened anew in each round
 * otherwise. What is measured goes into the journal at once; what it holds already is not measured again.
 *
 * @param entries from `entriesOf`
 * @param task `{ dataset, oracleOf, journal, rounds, timeLimit, memory, cpuFeatures, onRound }`; `oracleOf(workload)`
 * gives the right answers
 */
export async function measureFamily(entries, task) {
  const need = entries.reduce((sum, entry) => sum + entryNeed(entry), 0);
  const resident = need <= task.memory;
  const rounds = roundsFor(task.rounds, task.dataset.rows * task.dataset.dimension * 4);
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) {
      const open = due(entry, round, task);
      if (open.length === 0) continue;
      for (const workload of open) await attempt(entry, workload, task);
      if (!resident) await close(entry);
      task.onRound(entry, open, round, rounds);
    }
  }
  for (const entry of entries) await close(entry);
}

/**
 * Who takes part in a family and with how many threads, and why others cannot.
 *
 * @returns `{ entries, skipped }`; an entry is `{ contender, threads, workloads }`
 */
export async function entriesOf(workloads, contenders, threadCounts, memory) {
  const entries = [];
  const skipped = [];
  for (const threads of threadCounts) {
    for (const contender of contenders) {
      const able = [];
      for (const workload of workloads.filter(({ kind }) => contender.kinds.includes(kind))) {
        if (threads !== threadCounts[0] && threadsDoNotMatter(workload)) continue;
        const reason = await refusals(contender, { workload, threads, memory });
        if (reason === undefined) able.push(workload);
        else skipped.push({ workload: workload.name, contender: contender.name, threads, reason });
      }
      if (able.length > 0) entries.push({ contender, threads, workloads: able, process: undefined });
    }
  }
  return { entries, skipped };
}

function entryNeed({ contender, workloads }) {
  return Math.max(...workloads.map((workload) => memoryNeed(contender, workload)));
}

/** The workloads of an entry that this round times. */
function due(entry, round, { journal }) {
  return entry.workloads.filter((workload) => {
    const { rounds, failed } = journal.cell(nameOf(entry, workload));
    const seconds = rounds.reduce((sum, times) => sum + total(times.seconds), 0);
    return (
      failed === undefined &&
      rounds.length <= round &&
      wantsRound(workload, { rounds: rounds.length, seconds })
    );
  });
}

/** One round of one workload. A failure is noted, and the next workload has a new process. */
async function attempt(entry, workload, task) {
  const { journal, timeLimit } = task;
  const of = nameOf(entry, workload);
  try {
    if (entry.process === undefined) await open(entry, task);
    const place = entry.workloads.indexOf(workload);
    const ask = (command) => entry.process.ask({ ...command, workload: place }, timeLimit);
    const cell = journal.cell(of);
    const times = await timeRound(ask, {
      workload,
      contender: entry.contender,
      queries: cell.rounds[0]?.queries,
      calls: cell.rounds.reduce((sum, { seconds }) => sum + seconds.length, 0),
    });
    if (cell.correct === undefined) {
      const oracle = task.oracleOf(workload);
      const sample =
        workload.batch > 1 ? oracle.sample.filter((query) => query < times.queries) : oracle.sample;
      const { answers } = await ask({ do: 'answer', queries: times.queries, sample });
      journal.add(of, { correct: judge(oracle, answers, workload.k, entry.contender.claimsBits) });
    }
    journal.add(of, { times });
  } catch (error) {
    await close(entry);
    journal.add(of, { failed: error.message });
  }
}

async function open(entry, { dataset, cpuFeatures, timeLimit }) {
  const { contender, threads, workloads } = entry;
  const child = new ContenderProcess(contender, { workloads, dataset, threads }, cpuFeatures);
  entry.process = child;
  await child.opened(timeLimit);
}

async function close(entry) {
  await entry.process?.end();
  entry.process = undefined;
}

function nameOf({ contender, threads }, workload) {
  return [workload.name, contender.name, threads];
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

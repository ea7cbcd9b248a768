import { quantile, summary } from './statistics.mjs';
import { demand, parseWorkload } from './workloads.mjs';

/** Fewer calls than this have no 99th percentile. */
const LEAST_CALLS_FOR_P99 = 200;
/** Kinds of workloads whose calls answer queries, and do nothing else. */
const SEARCHES = ['mips', 'maxsim', 'softmax', 'bm25'];

/**
 * Results from what the journal holds.
 *
 * @param cells of the journal
 * @param contenders all of them
 * @param rooflines one per number of threads
 * @returns `{ results, failed }`; an entry of `failed` is `{ workload, contender, threads, reason }`
 */
export function resultsOf(cells, contenders, rooflines) {
  const results = [];
  const failed = [];
  for (const { of, rounds, correct, failed: reason } of cells) {
    const [name, contender, threads] = of;
    if (reason !== undefined) failed.push({ workload: name, contender, threads, reason });
    else if (rounds.length > 0) {
      results.push({
        workload: name,
        contender,
        threads,
        exact: contenders.find((one) => one.name === contender).exact,
        ...figures(
          parseWorkload(name),
          rounds,
          rooflines.find((roofline) => roofline.threads === threads),
        ),
        correct,
      });
    }
  }
  return { results, failed };
}

function figures(workload, rounds, roofline) {
  const { batch, kind } = workload;
  const { queries, elementBytes, arithmetic } = rounds[0];
  const timed = rounds.flatMap(({ seconds }) => seconds);
  // A batch of which fewer queries were timed takes as much longer as it has more.
  const whole = timed.map((seconds) => (seconds * batch) / queries);
  const { median, spread } = summary(whole);
  const first = rounds.map(({ firstSeconds }) => firstSeconds).filter((seconds) => seconds !== undefined);
  const { bytes, operations } = demand(workload, elementBytes);
  const bytesPerSecond = bytes === undefined ? null : bytes / median;
  const operationsPerSecond = operations === undefined ? null : operations / median;
  return {
    medianSeconds: median,
    spread,
    ...(timed.length >= LEAST_CALLS_FOR_P99 && { p99Seconds: quantile(whole, 0.99) }),
    ...(first.length > 0 && { firstSeconds: quantile(first, 0.5) }),
    calls: timed.length,
    rounds: rounds.length,
    ...(queries < batch && { queriesTimed: queries }),
    coresUsed: sum(rounds.map(({ cpuSeconds }) => cpuSeconds)) / sum(timed),
    queriesPerSecond: SEARCHES.includes(kind) ? batch / median : null,
    bytesPerSecond,
    operationsPerSecond,
    ...roofShare({ bytesPerSecond, operationsPerSecond, arithmetic }, roofline),
    ...worst(rounds.map(({ measured }) => measured ?? {})),
  };
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

/** Of each further figure, the largest of all rounds: of all of them, more is worse. */
function worst(measured) {
  const most = {};
  for (const [name, value] of measured.flatMap((figures) => Object.entries(figures))) {
    most[name] = Math.max(most[name] ?? Number.NEGATIVE_INFINITY, value);
  }
  return most;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

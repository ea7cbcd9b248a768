/**
 * How much of a contender's time is taken: short calls often and long ones seldom, so that everything together ends.
 */

/** Seconds that a contender is timed on a workload in a round, one call at least. */
const ROUND_SECONDS = 0.3;
const WARM_UP_SECONDS = 0.1;
const WARM_UP_QUERIES = 32;
const MOST_CALLS = 2000;
/** A contender whose time is in proportion to the queries is timed with so many of them that a call takes about this. */
const MOST_CALL_SECONDS = 1;
/** A contender that has been timed so long on a workload is left alone in further rounds, except the second. */
const MOST_SECONDS = 3;
const LEAST_ROUNDS = 2;

/** Rounds on vectors of so many bytes: each opens every contender anew where memory cannot hold them all. */
export function roundsFor(asked, vectorBytes) {
  if (vectorBytes > 4e9) return Math.min(asked, 2);
  return vectorBytes > 1e9 ? Math.min(asked, 3) : asked;
}

/** Whether a further round is worth it, after `rounds` of them that took `seconds`. */
export function wantsRound(workload, { rounds, seconds }) {
  if (rounds === 0) return true;
  if (workload.kind === 'memory' || workload.kind === 'survivors') return false;
  return rounds < LEAST_ROUNDS || seconds < MOST_SECONDS;
}

/**
 * Times one contender on one workload for one round.
 *
 * @param ask sends a command to the contender's process
 * @param cell `{ workload, contender, queries, calls }`: queries per call, undefined in the first round
 * @returns `{ seconds, firstSeconds, cpuSeconds, queries, measured, elementBytes, arithmetic }`
 */
export async function timeRound(ask, { workload, contender, queries, calls }) {
  const time = (command) => ask({ do: 'time', from: calls, least: 1, most: MOST_CALLS, ...command });
  const { batch, kind } = workload;
  if (kind === 'memory' || kind === 'survivors' || kind === 'events') {
    return { queries: batch, ...(await time({ queries: batch, seconds: 0 })) };
  }
  let firstSeconds;
  let perCall = queries ?? batch;
  if (kind === 'add' || kind === 'reserved' || kind === 'open') {
    // The first call meets memory and files that the process has not touched.
    firstSeconds = (await time({ queries: 1, seconds: 0 })).seconds[0];
  } else {
    const { proportionalFrom = batch } = contender;
    if (queries === undefined && proportionalFrom < batch) {
      perCall = await affordable(time, proportionalFrom, batch);
    }
    const warmUp = Math.min(proportionalFrom, perCall, WARM_UP_QUERIES);
    await time({ queries: warmUp, seconds: WARM_UP_SECONDS });
  }
  return { queries: perCall, firstSeconds, ...(await time({ queries: perCall, seconds: ROUND_SECONDS })) };
}

async function affordable(time, least, most) {
  await time({ queries: 1, seconds: 0 });
  const { seconds } = await time({ queries: 1, seconds: 0 });
  return Math.max(least, Math.min(most, Math.floor(MOST_CALL_SECONDS / seconds[0])));
}

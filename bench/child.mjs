/**
 * The process of one contender on one dataset: reads commands line by line, answers on file descriptor 3.
 *
 *     {"do": "time", "workload", "queries", "from", "seconds", "least", "most"}
 *         calls with `queries` queries each until the seconds are over, `least` to `most` of them; the first is call
 *         number `from`. Answers {"seconds": [...], "cpuSeconds", "measured", "elementBytes", "arithmetic"}
 *     {"do": "answer", "workload", "queries", "sample": [...]}
 *         answers {"answers": [{"rows", "scores"}, ...]}, one per query number in the sample
 *     {"do": "end"}
 *
 * `workload` is a place in the request's list. A contender's `open({ dataset, threads, workloads })` reads the vectors
 * and returns `prepare(workload)`, which returns
 *
 *     search(queries)        one call, which is timed; may return a promise
 *     before?()              what comes before each call and is not timed
 *     answers?(query)        where a call does not search: a search of what the calls made
 *     hits(result, query)    { rows, scores? } of a call's query, best first
 *     elementBytes           bytes of each number that is read
 *     arithmetic             'f32' or 'int8', where multiplications bound it
 *     measured?(result)      further figures for the results, after some calls
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CONTENDERS } from './contenders/contender-list.mjs';
import { allQueries } from './dataset.mjs';
import { queryCount, vectorsPerQuery } from './workloads.mjs';

const request = JSON.parse(process.argv[2]);
const { workloads, dataset, threads } = request;
const contender = CONTENDERS.find(({ name }) => name === request.contender);
const prepare = await contender.open({ workloads, dataset, threads });
const queries = allQueries(dataset);
const prepared = new Map();
/** What the last timed call returned: the answer to the same queries need not be computed again. */
let last;

function part(workload, call, count) {
  const values = vectorsPerQuery(workload) * dataset.dimension;
  const first = workload.batch === 1 ? call % queryCount(workload) : 0;
  return queries.subarray(first * values, (first + count) * values);
}

async function preparedFor(place) {
  if (!prepared.has(place)) prepared.set(place, await prepare(workloads[place]));
  return prepared.get(place);
}

async function time({ workload: place, queries: count, from, seconds, least, most }) {
  const workload = workloads[place];
  const { search, before, measured, elementBytes, arithmetic } = await preparedFor(place);
  const times = [];
  let cpuSeconds = 0;
  const start = performance.now();
  while (times.length < least || (performance.now() - start < seconds * 1000 && times.length < most)) {
    const queriesOfCall = part(workload, from + times.length, count);
    if (before !== undefined) await before();
    const cpu = process.cpuUsage();
    const begin = performance.now();
    let result = search(queriesOfCall);
    // A contender that answers at once does not pay for a promise.
    if (result instanceof Promise) result = await result;
    times.push((performance.now() - begin) / 1000);
    const { user, system } = process.cpuUsage(cpu);
    cpuSeconds += (user + system) / 1e6;
    last = { place, count, result };
  }
  return {
    seconds: times,
    cpuSeconds,
    measured: measured?.(last.result),
    elementBytes,
    arithmetic,
  };
}

async function answer({ workload: place, queries: count, sample }) {
  const workload = workloads[place];
  const { answers: find, search, hits } = await preparedFor(place);
  if (workload.batch > 1) {
    const known = last?.place === place && last.count === count;
    const result = known ? last.result : await search(part(workload, 0, count));
    return sample.map((query) => hits(result, query));
  }
  const answers = [];
  for (const query of sample) answers.push(hits(await (find ?? search)(part(workload, query, 1)), 0));
  return answers;
}

function reply(value) {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let done = 0; done < bytes.length; ) done += writeSync(3, bytes, done);
}

reply({});
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.do === 'time') reply(await time(command));
  else if (command.do === 'answer') reply({ answers: await answer(command) });
  else break;
}
process.exit(0);

/**
 * The process of one contender on one workload: reads commands line by line, answers on file descriptor 3.
 *
 *     {"do": "time", "seconds", "least", "most"}  calls until the seconds are over; answers {"seconds": [...]}
 *     {"do": "answer", "queries": [...]}          answers {"answers": [{"rows", "scores"}, ...]}
 *     {"do": "end"}
 *
 * A contender's `open` returns
 *
 *     search(queries)        one call, which is timed; may return a promise
 *     hits(result, query)    { rows, scores? } of a call's query, best first
 *     elementBytes           bytes of each number that is read
 *     arithmetic             'f32' or 'int8', where multiplications bound it
 *     measured?()            further figures for the results
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CONTENDERS } from './contenders/contender-list.mjs';
import { allQueries } from './dataset.mjs';

const request = JSON.parse(process.argv[2]);
const { workload, dataset, threads, queryCount } = request;
const contender = CONTENDERS.find(({ name }) => name === request.contender);
const opened = await contender.open({ workload, dataset, threads });
const queries = allQueries(dataset);
const perCall = (workload.queryVectors ?? workload.batch) * dataset.dimension;

function part(call) {
  const first = workload.batch === 1 ? call % queryCount : 0;
  return queries.subarray(first * perCall, (first + 1) * perCall);
}

async function time({ seconds, least, most }) {
  const times = [];
  const start = performance.now();
  while (times.length < least || (performance.now() - start < seconds * 1000 && times.length < most)) {
    const queriesOfCall = part(times.length);
    const before = performance.now();
    const result = opened.search(queriesOfCall);
    // A contender that answers at once does not pay for a promise.
    if (result instanceof Promise) await result;
    times.push((performance.now() - before) / 1000);
  }
  return times;
}

async function answer(sample) {
  if (workload.batch > 1) {
    const result = await opened.search(part(0));
    return sample.map((query) => opened.hits(result, query));
  }
  const answers = [];
  for (const query of sample) answers.push(opened.hits(await opened.search(part(query)), 0));
  return answers;
}

function reply(value) {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let done = 0; done < bytes.length; ) done += writeSync(3, bytes, done);
}

reply({ elementBytes: opened.elementBytes, arithmetic: opened.arithmetic });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.do === 'time') reply({ seconds: await time(command), measured: opened.measured?.() });
  else if (command.do === 'answer') reply({ answers: await answer(command.queries) });
  else break;
}
process.exit(0);

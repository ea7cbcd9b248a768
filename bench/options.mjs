import { freemem } from 'node:os';
import { parseArgs } from 'node:util';
import { CONTENDERS } from './contenders/contender-list.mjs';
import { parseWorkload, QUICK_WORKLOADS, WORKLOADS } from './workloads.mjs';

export const USAGE = `npm run bench -- [options]

  --workload <name>       only these; several between commas, or the option several times
  --contender <name>      only these
  --threads <n>           only these numbers of threads (1 and 2)
  --rounds <n>            most rounds (5)
  --time-limit <seconds>  gives up who takes longer to open or to answer (300)
  --memory <GiB>          what contenders may hold at once (85 % of what is free)
  --no-roofline           leaves out what the machine could do at most
  --json <file>           where the report goes (bench/results/<machine>.json for a run of everything)
  --only-missing          goes on where a run was stopped, or adds to a report what it lacks
  --note <text>           kept in the report and shown by the documents
  --quick                 small workloads without peers: half a minute
  --list                  workloads, contenders, and why some cannot run here
  --help
`;

const QUICK_CONTENDERS = ['ours-cpu', 'ours-cpu-plain', 'plain-js', 'sqlite-fts5'];
/** Share of the free memory that contenders may hold at once. */
const MEMORY_SHARE = 0.85;

/** The options of a run, checked. @throws Error with what is wrong with them */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      workload: { type: 'string', multiple: true },
      contender: { type: 'string', multiple: true },
      threads: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      'time-limit': { type: 'string', default: '300' },
      memory: { type: 'string' },
      json: { type: 'string' },
      note: { type: 'string' },
      'only-missing': { type: 'boolean', default: false },
      'no-roofline': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const everyone = quick ? QUICK_CONTENDERS : CONTENDERS.map(({ name }) => name);
  const named = [values.workload, values.contender, values.threads].some((names) => names !== undefined);
  return {
    workloads: chosen(values.workload, quick ? QUICK_WORKLOADS : WORKLOADS).map(
      (name) => parseWorkload(name) ?? refuse(`there is no workload ${name}; --list shows them`),
    ),
    contenders: chosen(values.contender, everyone).map(
      (name) =>
        CONTENDERS.find((contender) => contender.name === name) ?? refuse(`there is no contender ${name}`),
    ),
    threadCounts: chosen(values.threads, ['1', '2']).map(wholeNumber),
    rounds: wholeNumber(values.rounds ?? (quick ? '2' : '5')),
    timeLimit: wholeNumber(values['time-limit']),
    memory: values.memory === undefined ? freemem() * MEMORY_SHARE : wholeNumber(values.memory) * 2 ** 30,
    json: values.json,
    note: values.note,
    onlyMissing: values['only-missing'],
    roofline: !quick && !values['no-roofline'],
    everything: !quick && !named,
    list: values.list,
    help: values.help,
  };
}

function chosen(names, all) {
  return names === undefined ? all : names.flatMap((name) => name.split(',')).filter((name) => name !== '');
}

function wholeNumber(text) {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : refuse(`${text} is not a whole number of at least 1`);
}

function refuse(message) {
  throw new Error(message);
}

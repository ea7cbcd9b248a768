import { type Command, InvalidArgumentError } from 'commander';
import { GranuleError } from '../errors.js';
import { type Evaluation, evaluateRun } from '../evaluation/evaluate-run.js';
import { readBeirQrelsFile } from '../evaluation/files/beir-folder.js';
import { readTrecQrels } from '../evaluation/files/trec-qrels.js';
import { readTrecRun } from '../evaluation/files/trec-run.js';
import type { Qrels } from '../evaluation/qrels.js';
import { withoutQueryDocuments } from '../evaluation/run.js';
import { measureNames, selectMeasures } from '../evaluation/select-measures.js';
import { trecEvalText } from '../evaluation/trec-eval-text.js';
import type { CommandContext } from './command-context.js';
import { csvTable, jsonReport, type MeasuredRun, markdownTable } from './eval-tables.js';
import { wholeNumber } from './option-values.js';

const FORMATS = ['trec_eval', 'json', 'csv', 'markdown'] as const;
type Format = (typeof FORMATS)[number];

interface EvalOptions {
  readonly qrels: string;
  readonly run: readonly string[];
  readonly format: Format;
  readonly measures?: readonly string[];
  readonly perQuery?: boolean;
  readonly complete?: boolean;
  readonly relevanceLevel: number;
  readonly dropQueryDocuments?: boolean;
}

type RunOptions = EvalOptions & { readonly measures: readonly string[] };

/** `granule eval`: measures runs by relevance judgements. */
export function addEvalCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('eval')
    .description('measure runs by relevance judgements, as trec_eval does')
    .requiredOption('--qrels <file>', 'judgements: of TREC, or of BEIR where the name ends in .tsv')
    .requiredOption('--run <file...>', 'a run of TREC; several make a table')
    .option('--format <name>', FORMATS.join(', '), oneOfFormats, 'trec_eval')
    .option('--measures <name...>', 'such as map P.5,10 ndcg_cut.10, official, all_trec (default: official)')
    .option('--per-query', 'print the values of each query too')
    .option('--complete', 'count judged queries that a run lacks as found nothing')
    .option('--relevance-level <n>', 'from which relevance on a document is relevant', wholeNumber(1), 1)
    .option('--drop-query-documents', "leave out documents whose id is the query's own, as BEIR does")
    .addHelpText(
      'after',
      `
The files may be compressed by gzip. Known measures:
${wrapped(measureNames().families.join(', '))}

Example:
  $ granule eval --qrels qrels.txt --run bm25.run dense.run --measures map ndcg_cut.10 --format markdown`,
    );
  command.action(async (options: EvalOptions) => {
    if (options.format === 'trec_eval' && options.run.length > 1) {
      command.error('error: --format trec_eval is of one run; csv, markdown and json are of several', {
        exitCode: 2,
      });
    }
    const { measures = ['official'] } = options;
    refuseUnknown(measures, command);
    const qrels = await readQrels(options.qrels);
    const runs: MeasuredRun[] = [];
    for (const file of options.run) {
      context.signal.throwIfAborted();
      runs.push(await measured(file, qrels, { ...options, measures }));
    }
    context.print(textOf(runs, options).replace(/\n$/, ''));
  });
}

/** A wrong name is a wrong command line: it is said before files are read. */
function refuseUnknown(measures: readonly string[], command: Command): void {
  try {
    selectMeasures(measures);
  } catch (error) {
    command.error(`error: ${(error as Error).message}`, { exitCode: 2 });
  }
}

function readQrels(file: string): Promise<Qrels> {
  return /\.tsv(?:\.gz)?$/.test(file) ? readBeirQrelsFile(file) : readTrecQrels(file);
}

async function measured(file: string, qrels: Qrels, options: RunOptions): Promise<MeasuredRun> {
  const read = await readTrecRun(file);
  const run = options.dropQueryDocuments ? withoutQueryDocuments(read) : read;
  return { file, tag: run.tag, evaluation: evaluated(file, qrels, run, options) };
}

/** Errors about a run name its file. */
function evaluated(
  file: string,
  qrels: Qrels,
  run: Parameters<typeof evaluateRun>[1],
  { measures, complete = false, relevanceLevel }: RunOptions,
): Evaluation {
  try {
    return evaluateRun(qrels, run, { measures, complete, relevanceLevel });
  } catch (error) {
    if (!(error instanceof GranuleError)) throw error;
    throw new GranuleError(error.code, `${file}: ${error.message}`, { ...error.details, file });
  }
}

function textOf(runs: readonly MeasuredRun[], { format, perQuery = false }: EvalOptions): string {
  switch (format) {
    case 'trec_eval':
      return trecEvalText(runs[0]!.evaluation, { perQuery });
    case 'json':
      return jsonReport(runs, perQuery);
    case 'csv':
      return csvTable(runs, perQuery);
    case 'markdown':
      return markdownTable(runs, perQuery);
  }
}

function oneOfFormats(value: string): Format {
  const format = FORMATS.find((name) => name === value);
  if (format === undefined) throw new InvalidArgumentError(`It must be one of ${FORMATS.join(', ')}.`);
  return format;
}

function wrapped(text: string): string {
  return text.replace(/(.{1,90})(?: |$)/g, '  $1\n').trimEnd();
}

import { type Command, InvalidArgumentError } from 'commander';
import { GranuleError } from '../errors.js';
import { evaluateRun } from '../evaluation/evaluate-run.js';
import { readBeirQrelsFile } from '../evaluation/files/beir-folder.js';
import { readTrecQrels } from '../evaluation/files/trec-qrels.js';
import { readTrecRun } from '../evaluation/files/trec-run.js';
import { writeText } from '../evaluation/files/write-text.js';
import type { Qrels } from '../evaluation/qrels.js';
import { htmlReport } from '../evaluation/report/html-report.js';
import { type Run, withoutQueryDocuments } from '../evaluation/run.js';
import { measureNames, selectMeasures } from '../evaluation/select-measures.js';
import { compareRuns, type RunComparison } from '../evaluation/significance/compare-runs.js';
import { trecEvalText } from '../evaluation/trec-eval-text.js';
import type { CommandContext } from './command-context.js';
import { jsonReport, labelledRuns, type MeasuredRun, type MeasuredRuns, textTable } from './eval-tables.js';
import { wholeNumber } from './option-values.js';

const FORMATS = ['trec_eval', 'json', 'csv', 'markdown', 'latex'] as const;
type Format = (typeof FORMATS)[number];

interface EvalOptions {
  readonly qrels: string;
  readonly run: readonly string[];
  readonly format?: Format;
  readonly measures?: readonly string[];
  readonly perQuery?: boolean;
  readonly complete?: boolean;
  readonly relevanceLevel: number;
  readonly dropQueryDocuments?: boolean;
  readonly compare?: boolean;
  readonly html?: string;
}

type RunOptions = EvalOptions & { readonly measures: readonly string[] };

/** `granule eval`: measures runs by relevance judgements. */
export function addEvalCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('eval')
    .description('measure runs by relevance judgements, as trec_eval does')
    .requiredOption('--qrels <file>', 'judgements: of TREC, or of BEIR where the name ends in .tsv')
    .requiredOption('--run <file...>', 'a run of TREC; several make a table')
    .option(
      '--format <name>',
      `${FORMATS.join(', ')} (default: trec_eval; with --compare markdown)`,
      oneOfFormats,
    )
    .option('--measures <name...>', 'such as map P.5,10 ndcg_cut.10, official, all_trec (default: official)')
    .option('--per-query', 'print the values of each query too')
    .option('--complete', 'count judged queries that a run lacks as found nothing')
    .option('--relevance-level <n>', 'from which relevance on a document is relevant', wholeNumber(1), 1)
    .option('--drop-query-documents', "leave out documents whose id is the query's own, as BEIR does")
    .option(
      '--compare',
      'compare the other runs with the first: randomisation test, intervals, wins and losses',
    )
    .option('--html <file>', 'write a report with charts too')
    .addHelpText(
      'after',
      `
The files may be compressed by gzip. Known measures:
${wrapped(measureNames().families.join(', '))}

Example:
  $ granule eval --qrels qrels.txt --run bm25.run dense.run --measures map ndcg_cut.10 --format markdown
  $ granule eval --qrels qrels.txt --run bm25.run dense.run --measures map --compare --html report.html`,
    );
  command.action(async (options: EvalOptions) => {
    const { measures = ['official'], compare = false, html } = options;
    const format = options.format ?? (compare ? 'markdown' : 'trec_eval');
    refuseUnfit({ ...options, format }, command);
    refuseUnknown(measures, command);
    const qrels = await readQrels(options.qrels);
    const runs: MeasuredRun[] = [];
    const curves: MeasuredRun[] = [];
    for (const file of options.run) {
      context.signal.throwIfAborted();
      const run = await readRun(file, options);
      runs.push(measured(file, qrels, run, { ...options, measures }));
      if (html !== undefined) {
        curves.push(measured(file, qrels, run, { ...options, measures: [...measures, 'iprec_at_recall'] }));
      }
    }
    context.signal.throwIfAborted();
    const comparisons = compare ? compared(runs) : undefined;
    if (html !== undefined) await writeReport(html, { runs: curves, comparisons });
    context.print(textOf({ runs, comparisons }, format, options.perQuery ?? false).replace(/\n$/, ''));
  });
}

/** Options that do not go together are a wrong command line. */
function refuseUnfit({ format, run, compare, perQuery }: EvalOptions, command: Command): void {
  const refuse = (reason: string) => command.error(`error: ${reason}`, { exitCode: 2 });
  if (format === 'trec_eval' && run.length > 1) {
    refuse('--format trec_eval is of one run; csv, markdown, latex and json are of several');
  }
  if (compare && run.length < 2) refuse('--compare needs two runs or more');
  if (compare && perQuery && format !== 'json')
    refuse('--compare goes with --per-query in --format json only');
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

async function readRun(file: string, { dropQueryDocuments }: EvalOptions): Promise<Run> {
  const run = await readTrecRun(file);
  return dropQueryDocuments ? withoutQueryDocuments(run) : run;
}

function measured(
  file: string,
  qrels: Qrels,
  run: Run,
  { measures, complete = false, relevanceLevel }: RunOptions,
): MeasuredRun {
  try {
    return {
      file,
      tag: run.tag,
      evaluation: evaluateRun(qrels, run, { measures, complete, relevanceLevel }),
    };
  } catch (error) {
    throw naming(file, error);
  }
}

/** Each run after the first against the first. */
function compared(runs: readonly MeasuredRun[]): RunComparison[] {
  const [baseline, ...others] = runs.map(({ evaluation }) => evaluation);
  try {
    return compareRuns(baseline!, others);
  } catch (error) {
    const place = error instanceof GranuleError ? error.details?.['run'] : undefined;
    throw typeof place === 'number' ? naming(runs[place + 1]!.file, error) : error;
  }
}

function writeReport(file: string, { runs, comparisons }: MeasuredRuns): Promise<void> {
  const labelled = labelledRuns(runs);
  const title = `Evaluation of ${labelled.map(({ label }) => label).join(', ')}`;
  return writeText(file, [htmlReport({ title, runs: labelled, ...(comparisons && { comparisons }) })]);
}

/** Errors about a run name its file. */
function naming(file: string, error: unknown): unknown {
  if (!(error instanceof GranuleError)) return error;
  return new GranuleError(error.code, `${file}: ${error.message}`, { ...error.details, file });
}

function textOf(measuredRuns: MeasuredRuns, format: Format, perQuery: boolean): string {
  switch (format) {
    case 'trec_eval':
      return trecEvalText(measuredRuns.runs[0]!.evaluation, { perQuery });
    case 'json':
      return jsonReport(measuredRuns, perQuery);
    default:
      return textTable(measuredRuns, format, perQuery);
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

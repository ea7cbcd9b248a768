import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { TowerShape, TrainedCorpusRetriever } from '../training/index.js';
import type { CommandContext } from './command-context.js';
import { jsonText } from './json-text.js';
import {
  numberFromZero,
  positiveNumber,
  shareBelowOne,
  shareFromZero,
  wholeNumber,
  wholeNumbers,
} from './option-values.js';
import type { TrainCommandOptions } from './train-command-options.js';
import { resultFacts, resultText } from './train-report.js';
import { refuseTrainUsage, requireWritable } from './train-usage.js';
import { TrainingDisplay } from './training-display.js';

/** `granule train`: teaches a retriever on top of a knowledge base's vectors. */
export function addTrainCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('train')
    .description('teach the retriever of a knowledge base by questions whose passages are known')
    .argument('<kb>', 'folder that granule ingest made; or, without --pairs, countries')
    .option('--pairs <file>', 'JSONL file of examples to train on')
    .option('--to <file>', 'the adapter: a .safetensors file for --adapter of search and ask')
    .option('--eval <file>', 'JSONL file of examples to measure by')
    .option('--dev-share <x>', 'measure by this share of --pairs instead, groups kept apart', shareBelowOne)
    .option('--loss <name>', 'what is made small; docs/training.md lists them (default: in-batch-contrast)')
    .addOption(
      new Option('--tower <kind>', 'what is trained')
        .choices(['linear', 'low-rank', 'mlp'])
        .default('low-rank'),
    )
    .option('--rank <n>', 'of a low-rank tower', wholeNumber(1), 64)
    .option('--hidden <n>', 'hidden units of an mlp', wholeNumber(1), 256)
    .option('--both', 'train a tower of documents, too: the knowledge base has to be encoded anew')
    .option('--temperature <x>', 'by which scores are divided (default: 0.05)', positiveNumber)
    .option('--no-learn-temperature', 'leave the temperature as it is')
    .option('--hard-negatives <n>', 'mined per query (default: 4)', wholeNumber(0))
    .option('--mine-every <n>', 'epochs between two searches for them (default: 1)', wholeNumber(1))
    .option('--batch <n>', 'queries of a step (default: 64)', wholeNumber(1))
    .option('--epochs <n>', 'times that each query is trained on (default: 10)', wholeNumber(1))
    .option('--steps <n>', 'steps, instead of --epochs', wholeNumber(1))
    .option('--rate <x>', 'highest learning rate (default: 0.001)', positiveNumber)
    .option('--warmup <x>', 'share of the steps in which it rises (default: 0.1)', shareFromZero)
    .addOption(new Option('--decay <kind>', 'how it goes down').choices(['cosine', 'linear', 'constant']))
    .option('--weight-decay <x>', 'of AdamW (default: 0.01)', numberFromZero)
    .option('--clip <x>', 'greatest norm of the gradients (default: 1)', positiveNumber)
    .option('--seed <n>', 'of weights and order; a seed gives the same adapter again', wholeNumber(0), 0)
    .option('--measure <name...>', 'as trec_eval names them; the first decides (default: recip_rank ...)')
    .option('--patience <n>', 'epochs without a better measure before the end (default: 3)', wholeNumber(1))
    .option(
      '--answer-depth <n>',
      'best passages in which answers are looked for (default: 50)',
      wholeNumber(1),
    )
    .option(
      '--checkpoint <file>',
      'where the state is kept while it runs (default: the adapter + .checkpoint)',
    )
    .option('--every-steps <n>', 'steps between two checkpoints (default: one per epoch)', wholeNumber(1))
    .option('--log <file>', 'JSONL file of every step and measurement')
    .option('--curves <file>', 'SVG picture of loss and measures')
    .option('--threads <n>', 'threads at most (default: one per core)', wholeNumber(1))
    .option('--seeds <list>', 'of countries: seeds to train (default: 1,2,3)', wholeNumbers(0))
    .option('--check', 'of countries: compare with the shipped towers, tensor by tensor')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      `
A line of the JSONL files is one query:
  {"query": "where is it warm in winter?", "positives": ["fr-2"], "negatives": ["de-1"]}
"positives" are ids of passages, documents or entities; "answers" may stand in their place:
passages that hold one are then the positives. {"image": "file"} finds images. "grades" and
"group" may be there. A run that was killed goes on when the same command is given again.

granule train countries, without --pairs, trains the towers that granule demo shows, on pictures
and questions that it makes: [--to <new folder>] [--seeds 1,2,3] [--check] [--log <file>] [--json].
docs/learning-countries.md says what they learn. It takes some minutes.

Examples:
  $ granule train my-kb --pairs train.jsonl --eval dev.jsonl --to adapter.safetensors
  $ granule search my-kb "where is it warm?" --adapter adapter.safetensors`,
    );
  command.action(async (kb: string, options: TrainCommandOptions) => {
    if (kb === 'countries' && options.pairs === undefined)
      return trainTheCountries(command, options, context);
    const { pairs, to } = options;
    const missing = pairs === undefined ? '--pairs <file>' : to === undefined ? '--to <file>' : undefined;
    if (missing !== undefined) {
      command.error(`error: required option '${missing}' not specified`, { exitCode: 2 });
    }
    const strange = (['seeds', 'check'] as const).find((name) => options[name] !== undefined);
    if (strange !== undefined) {
      command.error(`error: --${strange} is an option of granule train countries`, { exitCode: 2 });
    }
    const wrong = refuseTrainUsage(options, (name) => command.getOptionValueSource(name) === 'cli');
    if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: 2 });
    const files = { pairs: pairs!, to: to! };
    const result = await train(kb, { ...options, ...files }, context);
    context.print(options.json ? jsonText(resultFacts(files.to, result)) : resultText(files.to, result));
  });
}

/** Options that `granule train countries` has. */
const OF_COUNTRIES = ['to', 'seeds', 'check', 'log', 'json'];

async function trainTheCountries(
  command: Command,
  { to, seeds, check, log, json }: TrainCommandOptions,
  context: CommandContext,
): Promise<void> {
  const strange = command.options.find(
    (option) =>
      !OF_COUNTRIES.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (strange !== undefined) {
    command.error(`error: ${strange.long} needs --pairs: it is no option of granule train countries`, {
      exitCode: 2,
    });
  }
  const { runTrainCountries } = await import('./train-countries.js');
  const { COUNTRY_SEEDS } = await import('../demo/learning/country-towers.js');
  await runTrainCountries(
    { to, seeds: seeds ?? COUNTRY_SEEDS, check: check === true, log, json: json === true },
    context,
  );
}

async function train(
  kb: string,
  options: TrainCommandOptions & { readonly pairs: string; readonly to: string },
  context: CommandContext,
): Promise<TrainedCorpusRetriever> {
  const { Corpus } = await import('../corpus/corpus.js');
  const { builtInEncodersInThreads } = await import('../systems/built-in-encoders.js');
  const training = await import('../training/index.js');
  const { signal } = context;
  const file = options.checkpoint ?? `${options.to}.checkpoint`;
  // Hours of training must not end at a folder that is not there.
  for (const output of [options.to, file, options.curves]) await requireWritable(output);
  const pairs = await training.readTrainingLines(options.pairs);
  const examples =
    options.devShare !== undefined
      ? training.divideLines(pairs, options.devShare, options.seed)
      : {
          train: pairs,
          ...(options.eval !== undefined && { dev: await training.readTrainingLines(options.eval) }),
        };
  const log = options.log === undefined ? undefined : await training.TrainingLog.open(options.log);
  const encoders = builtInEncodersInThreads();
  try {
    const corpus = await Corpus.open(kb, encoders, { readOnly: true });
    try {
      await using snapshot = await corpus.snapshot({ signal });
      const display = new TrainingDisplay(context.progress, log);
      const result = await training.trainCorpusRetriever(snapshot, encoders, examples, {
        ...chosen(options),
        towers: (dimension) => towersOf(options, dimension),
        checkpoint: { file, everySteps: options.everySteps ?? 0 },
        signal,
        onEncoded: (done, pictures) => context.progress.update('pictures', done, done / pictures),
        onPlan: (plan, resumedAt) => display.begin(plan, resumedAt),
        onEvent: (event) => display.show(event),
      });
      await training.saveAdapter(options.to, result.adapter);
      if (options.curves !== undefined) {
        const { writeText } = await import('../evaluation/files/write-text.js');
        await writeText(options.curves, [training.trainingCurves(result.history)]);
      }
      // The adapter is there: the state on the way to it is no longer needed, unless somebody asked for it.
      if (options.checkpoint === undefined) await rm(file, { force: true });
      return result;
    } catch (error) {
      if (signal.aborted && existsSync(file))
        context.adviseInterrupted(`the same command goes on from ${file}`);
      throw error;
    } finally {
      await corpus.close();
    }
  } finally {
    await encoders.close();
    await log?.close();
  }
}

function towersOf(
  { tower, rank, hidden, both }: TrainCommandOptions,
  dimension: number,
): { queryTower: TowerShape; documentTower?: TowerShape } {
  const shapes: Readonly<Record<typeof tower, TowerShape>> = {
    linear: { kind: 'linear', input: dimension, output: dimension },
    'low-rank': { kind: 'low-rank', dimension, rank: Math.min(rank, dimension) },
    mlp: { kind: 'mlp', input: dimension, hidden, output: dimension, residual: true },
  };
  return { queryTower: shapes[tower], ...(both && { documentTower: shapes[tower] }) };
}

/** Options of the trainer that were given; what was not has its default there. */
function chosen(options: TrainCommandOptions) {
  const { loss, temperature, hardNegatives, mineEvery, epochs, steps, warmup, decay, weightDecay, clip } =
    options;
  const {
    batch: batchSize,
    rate: learningRate,
    measure: measures,
    seed,
    patience,
    answerDepth,
    threads,
  } = options;
  const { learnTemperature } = options;
  return {
    ...{
      loss,
      temperature,
      learnTemperature,
      hardNegatives,
      mineEvery,
      epochs,
      steps,
      warmup,
      decay,
      weightDecay,
      clip,
    },
    ...{ batchSize, learningRate, measures, seed, patience, answerDepth, threads },
  };
}

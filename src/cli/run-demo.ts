import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Corpus } from '../corpus/corpus.js';
import type { IngestReport } from '../corpus/ingest-report.js';
import { ablationTable } from '../demo/ablation/ablation-table.js';
import { renderAblation } from '../demo/ablation/render-ablation.js';
import { countryCorpus } from '../demo/countries/country-corpus.js';
import { flagPath } from '../demo/countries/flag-images.js';
import { askDemoExample, type DemoExample } from '../demo/demo-example.js';
import { demoTasks, severalFlagsTasks, shownTasks } from '../demo/demo-tasks.js';
import type { DemoEvaluation } from '../demo/evaluate-demo.js';
import { COUNTRY_SEEDS } from '../demo/learning/country-towers.js';
import { readCountryTowers, shippedCountryTowers } from '../demo/learning/country-towers-file.js';
import { openTrainedMiRag } from '../demo/learning/open-trained-mirag.js';
import { mergeEvaluations } from '../demo/merge-evaluations.js';
import { evaluateInWorkers, type PictureTask } from '../demo/pictures/picture-workers.js';
import { requireReadablePictures } from '../demo/readable-pictures.js';
import { renderTable } from '../demo/render-table.js';
import { readTruthFile } from '../demo/truth-file.js';
import { GranuleError } from '../errors.js';
import { builtInEncodersInThreads } from '../systems/built-in-encoders.js';
import { answerText } from './answer-text.js';
import type { CommandContext } from './command-context.js';
import { jsonText } from './json-text.js';
import { timingsLine } from './shown-values.js';

/** Options of `granule demo`. */
export interface DemoOptions {
  /** Questions where neither they nor pictures are given. */
  readonly defaultQuestions: number;
  readonly questions?: number;
  /** Of these questions, the first that the ablation is about. */
  readonly ablation: number;
  readonly seed: number;
  readonly output: string;
  readonly pictures?: string;
  readonly keep?: string;
  readonly json?: true;
}

const EXAMPLES = 4;
const SHOWN_SEED = COUNTRY_SEEDS[0]!;
const SHOWN_SYSTEM = `answered with what was learned (granule train countries, seed ${SHOWN_SEED})`;

/** Builds the knowledge base, shows a few answers, and measures many. */
export async function runDemo(options: DemoOptions, context: CommandContext): Promise<void> {
  const pictures = options.pictures === undefined ? undefined : await readTruthFile(options.pictures);
  if (pictures !== undefined) await requireReadablePictures(pictures, context.signal);
  const count = options.questions ?? pictures?.length ?? options.defaultQuestions;
  const ablated = Math.min(options.ablation, count);
  const tasks = demoTasks({ seed: options.seed, count, ...(pictures && { pictures }) }).map((task, i) => ({
    ...task,
    ablation: i < ablated,
  }));
  // Pictures that somebody else made show one flag each.
  const several =
    pictures === undefined
      ? severalFlagsTasks({ seed: options.seed, count: Math.ceil(ablated / 2) }).map((task) => ({
          ...task,
          ablation: true,
        }))
      : [];
  await mkdir(options.output, { recursive: true }).catch((cause) => {
    const message = `cannot make the folder ${options.output}: ${(cause as Error).message}`;
    throw new GranuleError('FILE_NOT_WRITABLE', message, { file: options.output }, { cause });
  });
  const temporary = options.keep === undefined ? await mkdtemp(join(tmpdir(), 'granule-demo-')) : undefined;
  const kb = options.keep ?? join(temporary!, 'kb');
  try {
    await build(kb, options, context);
    const examples = await showExamples(kb, tasks, several, options, context);
    const start = performance.now();
    const results = await evaluateInWorkers(kb, [...tasks, ...several], {
      ...(ablated > 0 && { towers: COUNTRY_SEEDS.map(shippedCountryTowers) }),
      signal: context.signal,
      onProgress: (done, all) => context.progress.update('questions', done, done / all),
    });
    const elapsed = performance.now() - start;
    const evaluation = mergeEvaluations(
      results.flatMap((result) => result.evaluation ?? []),
      elapsed,
    );
    const answers = results.flatMap((result) => result.ablation ?? []);
    const ablation = answers.length === 0 ? undefined : ablationTable(answers, COUNTRY_SEEDS);
    if (options.json) {
      const output = { pictures: resolve(options.output), examples: examples.map(exampleFacts) };
      context.print(jsonText({ ...evaluation, ...(ablation && { ablation }), ...output }));
    } else {
      context.print(`without anything that was learned:\n\n${renderTable(evaluation)}\n`);
      context.print(evaluationTimings(evaluation));
      if (ablation) context.print(`\nwhat each stage of learning adds:\n\n${renderAblation(ablation)}`);
    }
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

async function build(kb: string, options: DemoOptions, context: CommandContext): Promise<void> {
  const start = performance.now();
  const encoders = builtInEncodersInThreads();
  const corpus = await Corpus.create(kb, encoders);
  let report: IngestReport;
  try {
    report = await corpus.ingest(countryCorpus(flagPath), {
      signal: context.signal,
      onProgress: ({ stage, done, fraction }) => context.progress.update(stage, done, fraction),
    });
  } catch (error) {
    // Part of a knowledge base would only be in the way of the next demo.
    await corpus.close();
    await rm(kb, { recursive: true, force: true });
    throw error;
  } finally {
    await encoders.close();
  }
  await corpus.close();
  const { entities, passages, images } = report;
  if (options.json) return;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  context.print(
    `knowledge base: ${entities} entities, ${passages} passages, ${images} images (built in ${seconds} s)\n`,
  );
}

/** Examples of pictures of one flag, and of one of several, answered with what was learned. */
async function showExamples(
  kb: string,
  tasks: readonly PictureTask[],
  several: readonly PictureTask[],
  options: DemoOptions,
  context: CommandContext,
): Promise<DemoExample[]> {
  const examples: DemoExample[] = [];
  const opened = await openTrainedMiRag(kb, await readCountryTowers(shippedCountryTowers(SHOWN_SEED)));
  try {
    if (!options.json) context.print(`examples, ${SHOWN_SYSTEM}:\n`);
    for (const task of [...shownTasks(tasks, EXAMPLES), ...shownTasks(several, 1)]) {
      const example = await askDemoExample(opened, task, {
        number: examples.length + 1,
        output: options.output,
        signal: context.signal,
      });
      examples.push(example);
      if (!options.json) context.print(exampleText(example, context.colour));
    }
  } finally {
    await opened.dispose();
  }
  if (!options.json)
    context.print(`pictures with the matched patches outlined are in ${resolve(options.output)}\n`);
  return examples;
}

function evaluationTimings({ timings: { totalMs = 0, ...stages } }: DemoEvaluation): string {
  const means = Object.fromEntries(Object.entries(stages).map(([name, ms]) => [name.replace(/Ms$/, ''), ms]));
  return `mean of a question: ${timingsLine(means)}\nall questions: ${(totalMs / 1000).toFixed(1)} s`;
}

/** What a program wants to know about an example. */
function exampleFacts({ picture, answered, matches }: DemoExample): object {
  const { question, answer, entity, passage, span, probabilities, timings } = answered;
  const facts = { picture, question, answer, entity, passage, span, probabilities, timings, matches };
  return { ...facts, system: SHOWN_SYSTEM };
}

function exampleText({ picture, answered, matches }: DemoExample, colour: boolean): string {
  const lines = [
    `picture   ${picture}`,
    `question  ${answered.question}`,
    answerText(answered, { colour, trace: false }),
  ];
  if (matches !== undefined) lines.push(`matches   ${matches}`);
  return `${lines.join('\n')}\n`;
}

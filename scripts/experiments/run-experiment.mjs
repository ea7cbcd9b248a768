import { evaluateRun } from '../../dist/esm/evaluation/index.js';
import { pipeline } from '../../dist/esm/pipeline/index.js';
import { fitOptions } from './fit-option.mjs';
import { RUNNERS } from './runners.mjs';

/**
 * Answers all queries of the task and measures the answers.
 *
 * @returns `evaluation`; `fitted`, the options that were fitted on validation queries; and, where the experiment asks for a
 * `correlation`, that of the trace's detail of this name with the first measure, over the queries
 */
export async function runExperiment(experiment, task) {
  const stages = await fitOptions(experiment.pipeline ?? [], experiment.fit ?? [], task);
  const retrieve = experiment.runner
    ? await RUNNERS[experiment.runner.name](task, experiment.runner)
    : retrieverOf(stages, task);
  const { run, level, traces } = await runOf(retrieve, task);
  const qrels = experiment.exact ? await bestPlaces(experiment.exact, task) : task.qrels[level];
  const evaluation = evaluateRun(qrels, run, {
    measures: experiment.measures ?? task.measures,
    complete: true,
  });
  const fitted = (experiment.fit ?? []).map(({ stage, option }) => stages[stage][option]);
  if (experiment.correlation === undefined) return { evaluation, fitted };
  const [values] = evaluation.perQuery.values();
  const details = evaluation.queries.map((id) => detailOf(traces.get(id), experiment.correlation));
  return { evaluation, fitted, correlation: pearson(details, values) };
}

function retrieverOf(stages, { sources }) {
  const retriever = pipeline(stages, { sources });
  return ({ query, filter }) => retriever.retrieve(query, { filter });
}

async function runOf(retrieve, { queries }) {
  const lists = new Map();
  const traces = new Map();
  let level;
  for (const query of queries) {
    const result = await retrieve(query);
    level = result.level;
    traces.set(query.id, result.stages);
    lists.set(query.id, { documents: [...result.ids], scores: result.list.scores });
  }
  return { run: { tag: 'experiment', queries: lists }, level, traces };
}

/** Judgements by which exactly the first k places of another pipeline are relevant: the measure is recall against it. */
async function bestPlaces({ pipeline: stages, k }, task) {
  const { run } = await runOf(retrieverOf(stages, task), task);
  return new Map(
    [...run.queries].map(([id, { documents }]) => [
      id,
      new Map(documents.slice(0, k).map((document) => [document, 1])),
    ]),
  );
}

function detailOf(stages, name) {
  return stages.map(({ details }) => details?.[name]).find((value) => value !== undefined);
}

function pearson(x, y) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ofX, ofY] = [mean(x), mean(y)];
  const product = (a, ofA, b, ofB) => a.reduce((sum, value, i) => sum + (value - ofA) * (b[i] - ofB), 0);
  return product(x, ofX, y, ofY) / Math.sqrt(product(x, ofX, x, ofX) * product(y, ofY, y, ofY));
}

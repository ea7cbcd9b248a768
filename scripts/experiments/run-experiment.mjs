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
  const retrieve = experiment.runner ? await runnerOf(experiment.runner, task) : retrieverOf(stages, task);
  const answers = await answersOf(retrieve, task);
  const evaluation = await evaluate(answers, experiment, task);
  const fitted = (experiment.fit ?? []).map(({ stage, option }) => stages[stage][option]);
  if (experiment.correlation === undefined) return { evaluation, fitted };
  const [values] = evaluation.perQuery.values();
  const details = evaluation.queries.map((id) => detailOf(answers.get(id).stages, experiment.correlation));
  return { evaluation, fitted, correlation: pearson(details, values) };
}

/** Lists by the judgements of their level, or against the first places of another pipeline; figures by their means. */
async function evaluate(answers, { exact, measures }, task) {
  const [{ figures, level }] = answers.values();
  if (figures !== undefined) return meansOf(answers);
  const qrels = exact ? await bestPlaces(exact, task) : task.qrels[level];
  return evaluateRun(qrels, runOf(answers), { measures: measures ?? task.measures, complete: true });
}

function runnerOf({ name, ...options }, task) {
  return RUNNERS[name](task, options);
}

function retrieverOf(stages, { sources }) {
  const retriever = pipeline(stages, { sources });
  return ({ query, filter }) => retriever.retrieve(query, { filter });
}

/** By query what was answered. */
async function answersOf(retrieve, { queries }) {
  const answers = new Map();
  for (const query of queries) answers.set(query.id, await retrieve(query));
  return answers;
}

function runOf(answers) {
  const queries = new Map(
    [...answers].map(([id, { ids, list }]) => [id, { documents: [...ids], scores: list.scores }]),
  );
  return { tag: 'experiment', queries };
}

/** An evaluation by figures that are no measures of lists. */
function meansOf(answers) {
  const all = [...answers.values()].map(({ figures }) => figures);
  const perQuery = new Map(Object.keys(all[0]).map((name) => [name, all.map((figures) => figures[name])]));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    queries: [...answers.keys()],
    perQuery,
    aggregate: new Map([...perQuery].map(([name, values]) => [name, mean(values)])),
  };
}

/** Judgements by which exactly the first k places of another pipeline are relevant: the measure is recall against it. */
async function bestPlaces({ pipeline: stages, k }, task) {
  const answers = await answersOf(retrieverOf(stages, task), task);
  return new Map(
    [...answers].map(([id, { ids }]) => [id, new Map(ids.slice(0, k).map((document) => [document, 1]))]),
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

import { evaluateRun } from '../../dist/esm/evaluation/index.js';
import { pipeline } from '../../dist/esm/pipeline/index.js';
import { fitOptions } from './fit-option.mjs';
import { RUNNERS } from './runners.mjs';

/**
 * Answers all queries of the task and measures the answers.
 *
 * @returns `evaluation`, and `fitted`: the options that were fitted on validation queries
 */
export async function runExperiment(experiment, task) {
  const stages = await fitOptions(experiment.pipeline ?? [], experiment.fit ?? [], task);
  const retrieve = experiment.runner
    ? await RUNNERS[experiment.runner.name](task, experiment.runner)
    : retrieverOf(stages, task);
  const { run, level } = await runOf(retrieve, task);
  const qrels = experiment.exact
    ? await bestPlaces(experiment.exact, task)
    : task.qrels[level];
  const evaluation = evaluateRun(qrels, run, {
    measures: experiment.measures ?? task.measures,
    complete: true,
  });
  const fitted = (experiment.fit ?? []).map(({ stage, option }) => stages[stage][option]);
  return { evaluation, fitted };
}

function retrieverOf(stages, { sources }) {
  const retriever = pipeline(stages, { sources });
  return ({ query, filter }) => retriever.retrieve(query, { filter });
}

async function runOf(retrieve, { queries }) {
  const lists = new Map();
  let level;
  for (const query of queries) {
    const result = await retrieve(query);
    level = result.level;
    lists.set(query.id, { documents: [...result.ids], scores: result.list.scores });
  }
  return { run: { tag: 'experiment', queries: lists }, level };
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

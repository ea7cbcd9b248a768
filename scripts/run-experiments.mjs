/**
 * Runs experiments and holds them to the figures in their files.
 *
 *     node scripts/run-experiments.mjs [task or task/experiment ...] [--update] [--folder <folder of experiments>]
 *
 * Without names all are run. With `--update` what is measured is written into the files and into docs/experiments.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildTypescript, typescriptIsCurrent } from './build-ts.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const docs = join(root, 'docs/experiments.md');

const { values, positionals: names } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    folder: { type: 'string', default: join(root, 'test/quality/experiments') },
  },
  allowPositionals: true,
});
if (!typescriptIsCurrent()) await buildTypescript();
const { folder } = values;
const { readExperiments, writeExperiment } = await import('./experiments/experiment-files.mjs');
const { differencesOf, digitsOf, measuredValues } = await import('./experiments/measured-values.mjs');
const { withResults } = await import('./experiments/results-table.mjs');
const { runExperiment } = await import('./experiments/run-experiment.mjs');
const { TASKS } = await import('./experiments/tasks.mjs');

const experiments = readExperiments(folder);
for (const name of names) {
  if (!experiments.some((experiment) => isNamed(experiment, name)))
    throw new Error(`there is no experiment ${name}`);
}
let passed = 0;
let failed = 0;
for (const [task, { build, missing }] of Object.entries(TASKS)) {
  const wanted = experiments.filter(
    (experiment) =>
      experiment.task === task && (names.length === 0 || names.some((name) => isNamed(experiment, name))),
  );
  if (wanted.length === 0) continue;
  const reason = missing?.();
  if (reason !== undefined) {
    console.log(`${task}: SKIPPED, ${reason}`);
    continue;
  }
  const started = performance.now();
  const built = await build();
  console.log(`${task}: built in ${seconds(started)}`);
  const evaluations = new Map();
  const resultOf = async (experiment) => {
    if (!evaluations.has(experiment.name)) {
      evaluations.set(experiment.name, await runExperiment(experiment, built));
    }
    return evaluations.get(experiment.name);
  };
  for (const experiment of wanted) {
    const start = performance.now();
    const result = await resultOf(experiment);
    const baseline = experiment.baseline && (await resultOf(named(`${task}/${experiment.baseline}`)));
    const measured = measuredValues(result, baseline?.evaluation);
    const figures = Object.entries(measured.expected).map(
      ([name, value]) => `${name} ${value.toFixed(digitsOf(name))}`,
    );
    console.log(`  ${experiment.name}  ${figures.join('  ')}  (${seconds(start)})`);
    if (values.update) {
      writeExperiment(experiment, measured);
      passed++;
      continue;
    }
    const differences = differencesOf(experiment, measured);
    for (const difference of differences) console.log(`    ${difference}`);
    if (differences.length > 0) failed++;
    else passed++;
  }
}
const text = readFileSync(docs, 'utf8');
const tables = withResults(text, readExperiments(folder));
if (values.update) writeFileSync(docs, tables);
else if (tables !== text) {
  console.log('docs/experiments.md does not show what the files expect: run with --update');
  failed++;
}
console.log(`experiments: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function isNamed({ name, task }, wanted) {
  return name === wanted || task === wanted;
}

function named(name) {
  const found = experiments.find((experiment) => experiment.name === name);
  if (found === undefined) throw new Error(`there is no experiment ${name}, which is a baseline`);
  return found;
}

function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

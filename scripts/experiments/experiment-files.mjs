/** The files of test/quality/experiments: one folder per task, one file per experiment. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TASKS } from './tasks.mjs';

/** What a file may say; all but the first four may be absent. */
const FIELDS = [
  'title',
  'source',
  'pipeline',
  'expected',
  'fit',
  'fitted',
  'runner',
  'exact',
  'measures',
  'correlation',
  'baseline',
  'note',
];

/**
 * @returns the experiments of a folder, by task and name; each with `name` (`<task>/<file>`), `task` and `file`
 * @throws Error for a folder that is no task, and a file that is no experiment
 */
export function readExperiments(folder) {
  return readdirSync(folder)
    .sort((a, b) => taskPlace(a) - taskPlace(b))
    .flatMap((task) =>
      readdirSync(join(folder, task))
        .map((file) => file.replace(/\.json$/, ''))
        .sort()
        .map((name) => readExperiment(join(folder, task, `${name}.json`), task, `${task}/${name}`)),
    );
}

/** Writes what was measured into the file, one stage of the pipeline per line. */
export function writeExperiment({ file, ...experiment }, { expected, fitted }) {
  const written = { ...experiment, expected, ...(fitted.length > 0 && { fitted }) };
  const lines = FIELDS.filter((field) => field in written).map((field) => {
    const value = written[field];
    const stages =
      field === 'pipeline' && `[\n${value.map((stage) => `    ${onOneLine(stage)}`).join(',\n')}\n  ]`;
    return `  "${field}": ${stages || onOneLine(value)}`;
  });
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
}

function onOneLine(value) {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${onOneLine(member)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

function taskPlace(folder) {
  const place = Object.keys(TASKS).indexOf(folder);
  if (place === -1) throw new Error(`${folder} is no task; they are ${Object.keys(TASKS).join(', ')}`);
  return place;
}

function readExperiment(file, task, name) {
  const experiment = JSON.parse(readFileSync(file, 'utf8'));
  const unknown = Object.keys(experiment).filter((field) => !FIELDS.includes(field));
  if (unknown.length > 0) throw new Error(`${file}: ${unknown.join(', ')} means nothing in an experiment`);
  if (typeof experiment.title !== 'string' || typeof experiment.source !== 'string') {
    throw new Error(`${file} has no title or no source`);
  }
  if ((experiment.pipeline === undefined) === (experiment.runner === undefined)) {
    throw new Error(`${file} must have either a pipeline or a runner`);
  }
  return { ...experiment, name, task, file };
}

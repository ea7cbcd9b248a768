/** The tables of docs/experiments.md, made of what the files expect. */
import { digitsOf } from './measured-values.mjs';
import { TASKS } from './tasks.mjs';

const BEGIN = '<!-- results: written by scripts/run-experiments.mjs --update -->';
const END = '<!-- end of results -->';

/** The text with its tables replaced. */
export function withResults(text, experiments) {
  const [before, rest] = text.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error(`docs/experiments.md lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n\n${resultTables(experiments)}\n\n${END}${after}`;
}

function resultTables(experiments) {
  return Object.entries(TASKS)
    .map(([task, { title }]) => ({
      title,
      among: experiments.filter((experiment) => experiment.task === task),
    }))
    .filter(({ among }) => among.length > 0)
    .map(({ title, among }) => `### ${title}\n\n${tableOf(among)}`)
    .join('\n\n');
}

function tableOf(experiments) {
  const measures = [...new Set(experiments.flatMap(({ expected = {} }) => Object.keys(expected)))];
  const line = (cells) => `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;
  return [
    line(['experiment', 'what', ...measures, 'note']),
    `|---|---|${measures.map(() => '--:|').join('')}---|`,
    ...experiments.map(({ name, title, expected = {}, note = '' }) =>
      line([
        `\`${name.split('/')[1]}\``,
        title,
        ...measures.map((measure) => expected[measure]?.toFixed(digitsOf(measure)) ?? ''),
        note,
      ]),
    ),
  ].join('\n');
}

import { HEADLINES } from './headlines.mjs';

const WIDTH = 820;
const LABEL = 190;
const BAR = 15;
const GAP = 3;
const HEAD = 32;
const FIGURE = 130;
/** By the number of threads: one, and more. */
const OURS = ['#6fb89f', '#1b7f5c'];
const OTHERS = ['#b9c0cb', '#7a8496'];
const SUBTITLE =
  'Each with its number of threads. ours-cpu is granule, ours-cpu-plain is granule without its int8 codes.';

/**
 * A bar chart of one machine's results as SVG: per workload, the queries that each contender answers a second. Bars of one
 * workload have one scale, from 0.
 */
export function renderChart({ machine, results }) {
  const shapes = [];
  let y = 52;
  for (const workload of charted(results)) {
    const group = results
      .filter((result) => result.workload === workload)
      .sort((a, b) => b.queriesPerSecond - a.queriesPerSecond);
    const most = group[0].queriesPerSecond;
    shapes.push(text(10, y + 22, workload, 'font-weight="bold"'));
    y += HEAD;
    for (const { contender, threads, exact, queriesPerSecond } of group) {
      const width = Math.max(1, (queriesPerSecond / most) * (WIDTH - LABEL - FIGURE));
      const colours = contender.startsWith('ours') ? OURS : OTHERS;
      const name = `${contender}${exact ? '' : ' (not exact)'}, ${threads}`;
      shapes.push(
        text(LABEL - 8, y + 12, name, 'text-anchor="end"'),
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colours[threads > 1 ? 1 : 0]}"/>`,
        text(LABEL + width + 6, y + 12, `${significant(queriesPerSecond)}/s`),
      );
      y += BAR + GAP;
    }
    y += 6;
  }
  const title = `Queries answered a second on ${machine.cpu}, ${machine.cores} cores: longer is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${y + 8}" fill="#ffffff"/>`,
    text(10, 20, title, 'font-size="14"'),
    text(10, 40, SUBTITLE, 'fill-opacity="0.7"'),
    ...shapes,
    '</svg>\n',
  ].join('\n');
}

/** The headlines among the workloads that were measured, or all of them where there is none. */
function charted(results) {
  const searched = [
    ...new Set(
      results.filter(({ queriesPerSecond }) => queriesPerSecond !== null).map(({ workload }) => workload),
    ),
  ];
  const headlines = HEADLINES.filter((workload) => searched.includes(workload));
  return headlines.length > 0 ? headlines : searched;
}

function significant(value) {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function text(x, y, content, attributes = '') {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#1c2128" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

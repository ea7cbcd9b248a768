const WIDTH = 820;
const LABEL = 190;
const BAR = 16;
const GAP = 4;
const HEAD = 34;
const OURS = '#1b7f5c';
const OTHERS = '#8a93a3';

/**
 * A bar chart of one machine's results as SVG: per workload, the median time of each contender, the shortest first. Bars
 * of one workload have one scale, from 0.
 */
export function renderChart({ machine, results }) {
  const shapes = [];
  let y = 30;
  for (const workload of new Set(results.map((result) => result.workload))) {
    const group = results
      .filter((result) => result.workload === workload)
      .sort((a, b) => a.medianSeconds - b.medianSeconds);
    const longest = group.at(-1).medianSeconds;
    shapes.push(text(10, y + 22, workload, 'font-weight="bold"'));
    y += HEAD;
    for (const { contender, threads, medianSeconds } of group) {
      const width = Math.max(1, (medianSeconds / longest) * (WIDTH - LABEL - 120));
      const colour = contender.startsWith('ours') ? OURS : OTHERS;
      shapes.push(
        text(LABEL - 8, y + 12, `${contender}, ${threads} thr.`, 'text-anchor="end"'),
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
        text(LABEL + width + 6, y + 12, `${(medianSeconds * 1000).toPrecision(3)} ms`),
      );
      y += BAR + GAP;
    }
  }
  const title = `Median time of a call on ${machine.cpu}, ${machine.cores} cores: shorter is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 12}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${y + 12}" fill="#ffffff"/>`,
    text(10, 20, title, 'font-size="14"'),
    ...shapes,
    '</svg>\n',
  ].join('\n');
}

function text(x, y, content, attributes = '') {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#1c2128" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

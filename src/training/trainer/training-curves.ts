import { PICTURE_STYLE } from '../../evaluation/report/report-style.js';
import {
  axisTicks,
  escaped,
  label,
  line,
  seriesClass,
  short,
  svgPicture,
} from '../../evaluation/report/svg.js';
import type { TrainingHistory } from './training-history.js';

const [WIDTH, HEIGHT] = [800, 640];
const [LEFT, RIGHT, TOP, PLOT_HEIGHT, GAP] = [60, 180, 24, 240, 70];
/** Points of a curve at most; further steps are averaged. */
const POINTS = 400;

interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [step: number, value: number])[];
}

/**
 * A picture of a run as a file of its own: the loss over the steps, and below it the measures of `dev`. Where there are many steps, neighbours are
 * averaged.
 */
export function trainingCurves({ steps, evaluations }: TrainingHistory): string {
  const last = Math.max(1, steps.length);
  const losses = averaged(steps.map(({ step, loss }) => [step, loss] as const));
  const names = Object.keys(evaluations[0]?.measures ?? {});
  const measures = names.map((name) => ({
    name,
    points: evaluations.map(({ step, measures: values }) => [step, values[name]!] as const),
  }));
  const content = [
    chart('loss', [{ name: 'loss', points: losses }], last, TOP),
    ...(measures.length === 0 ? [] : [chart('measures of dev', measures, last, TOP + PLOT_HEIGHT + GAP)]),
    label(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 12, 'step', 'middle'),
  ];
  const description = `${steps.length} steps, ${evaluations.length} measurements`;
  const texts = { id: 'training', title: 'Training', description };
  const picture = svgPicture(texts, WIDTH, HEIGHT, content.join('\n'));
  return picture.replace(
    /^<svg ([^>]*)>/,
    (_, attributes: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>\n<style>${escaped(PICTURE_STYLE)}</style><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
  );
}

function chart(title: string, curves: readonly Curve[], last: number, top: number): string {
  const width = WIDTH - LEFT - RIGHT;
  const ticks = axisTicks(Math.max(...curves.flatMap(({ points }) => points.map(([, value]) => value)), 0));
  const greatest = ticks.at(-1)!;
  const x = (step: number) => LEFT + (step / last) * width;
  const y = (value: number) => top + (1 - Math.max(0, value) / greatest) * PLOT_HEIGHT;
  const grid = [
    ...ticks.flatMap((tick) => [
      line(x(0), y(tick), x(last), y(tick), 'grid'),
      label(x(0) - 8, y(tick) + 4, String(tick), 'end quiet'),
    ]),
    ...[0, last].map((step) => label(x(step), y(0) + 18, String(step), 'middle quiet')),
    label(LEFT, top - 8, title, 'strong'),
  ];
  const drawn = curves.map(({ name, points }, series) => {
    const row = top + 10 + 22 * series;
    const from = WIDTH - RIGHT + 16;
    const places = points.map(([step, value]) => `${short(x(step))},${short(y(value))}`).join(' ');
    const look = `curve ${seriesClass(series)}`;
    return `<polyline class="${look}" points="${places}"/>${line(from, row, from + 30, row, look)}${label(from + 38, row + 4, name, '', 18)}`;
  });
  return [...grid, ...drawn].join('\n');
}

function averaged(points: Curve['points']): Curve['points'] {
  const group = Math.ceil(points.length / POINTS);
  if (group <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / group) }, (_, i) => {
    const some = points.slice(i * group, (i + 1) * group);
    return [some.at(-1)![0], some.reduce((sum, [, value]) => sum + value, 0) / some.length] as const;
  });
}

import { fourDecimals } from '../trec-eval-text.js';
import { type ChartTexts, escaped, label, line, seriesClass, short, svgPicture } from './svg.js';

/** A run's interpolated precision at recalls. */
export interface PrecisionRecallCurve {
  readonly label: string;
  /** From 0 to 1, ascending. */
  readonly recalls: readonly number[];
  readonly precisions: readonly number[];
}

const WIDTH = 800;
const LEFT = 60;
const TOP = 12;
const PLOT = 420;
const HEIGHT = 340;
const FOOT = 46;
const LEGEND = LEFT + PLOT + 40;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** Curves of precision over recall, each with dashes and marks of its own, and a legend. */
export function precisionRecallChart(texts: ChartTexts, curves: readonly PrecisionRecallCurve[]): string {
  const height = Math.max(HEIGHT, TOP + 22 * curves.length + FOOT);
  const plotHeight = HEIGHT - TOP - FOOT;
  const x = (recall: number) => LEFT + recall * PLOT;
  const y = (precision: number) => TOP + (1 - precision) * plotHeight;
  const grid = TICKS.flatMap((tick) => [
    line(x(tick), y(0), x(tick), y(1), 'grid'),
    line(x(0), y(tick), x(1), y(tick), 'grid'),
    label(x(tick), y(0) + 18, String(tick), 'middle quiet'),
    label(x(0) - 8, y(tick) + 4, String(tick), 'end quiet'),
  ]);
  const drawn = curves.map(({ label: run, recalls, precisions }, series) => {
    const points = recalls.map((recall, i) => `${short(x(recall))},${short(y(precisions[i]!))}`);
    const marks = recalls.map((recall, i) => {
      const hint = `${run}: precision ${fourDecimals(precisions[i]!)} at recall ${recall}`;
      return mark(x(recall), y(precisions[i]!), series, hint);
    });
    const row = TOP + 14 + 22 * series;
    return [
      `<polyline class="curve ${seriesClass(series)}" points="${points.join(' ')}"/>`,
      ...marks,
      `<line class="curve ${seriesClass(series)}" x1="${LEGEND}" y1="${row}" x2="${LEGEND + 40}" y2="${row}"/>`,
      mark(LEGEND + 20, row, series, run),
      label(LEGEND + 50, row + 4, run, '', 28),
    ].join('');
  });
  const axes = [
    label(x(0.5), y(0) + 38, 'recall', 'middle'),
    `<text class="middle" transform="translate(14 ${short(y(0.5))}) rotate(-90)">precision</text>`,
  ];
  return svgPicture(texts, WIDTH, height, [...grid, ...axes, ...drawn].join('\n'));
}

/** A filled mark around a point; neighbouring series have different ones. */
function mark(x: number, y: number, series: number, hint: string): string {
  const shapes = [
    'M-4,0A4,4 0 1 1 4,0A4,4 0 1 1 -4,0Z',
    'M-3.5,-3.5H3.5V3.5H-3.5Z',
    'M0,-4.5L4.5,3.5H-4.5Z',
    'M0,-5L5,0L0,5L-5,0Z',
    'M0,4.5L4.5,-3.5H-4.5Z',
  ];
  const shape = shapes[series % shapes.length]!;
  const place = `transform="translate(${short(x)} ${short(y)})"`;
  return `<path class="mark ${seriesClass(series)}" ${place} d="${shape}"><title>${escaped(hint)}</title></path>`;
}

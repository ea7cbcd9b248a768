import type { MeanInterval } from '../significance/bootstrap-interval.js';
import { fourDecimals } from '../trec-eval-text.js';
import { axisTicks, bar, type ChartTexts, label, line, seriesClass, svgPicture } from './svg.js';

/** A measure, with the mean and the interval of each run. */
export interface BarGroup {
  readonly name: string;
  readonly bars: readonly (MeanInterval & { readonly label: string })[];
}

const WIDTH = 800;
const LEFT = 210;
const RIGHT = 70;
const ROW = 20;
const GROUP_HEAD = 26;
const FOOT = 30;

/** Bars of measures: for each a bar per run, with its interval as a line; values of 0 and more. */
export function barChart(texts: ChartTexts, groups: readonly BarGroup[]): string {
  const ticks = axisTicks(Math.max(0, ...groups.flatMap(({ bars }) => bars.map(({ high }) => high))));
  const scale = (WIDTH - LEFT - RIGHT) / ticks.at(-1)!;
  const x = (value: number) => LEFT + value * scale;
  const parts: string[] = [];
  let y = 0;
  for (const { name, bars } of groups) {
    parts.push(label(LEFT, y + GROUP_HEAD - 8, name, 'strong'));
    y += GROUP_HEAD;
    for (const [series, { label: run, mean, low, high }] of bars.entries()) {
      const middle = y + ROW / 2;
      const hint = `${run}: ${fourDecimals(mean)}, interval ${fourDecimals(low)} to ${fourDecimals(high)}`;
      parts.push(
        label(LEFT - 8, middle + 4, run, 'end', 28),
        bar(LEFT, y + 3, Math.max(0, mean * scale), ROW - 6, seriesClass(series), hint),
        interval(x(low), x(high), middle),
        label(Math.max(x(high), x(mean)) + 8, middle + 4, fourDecimals(mean)),
      );
      y += ROW;
    }
  }
  const grid = ticks.flatMap((tick) => [
    line(x(tick), 4, x(tick), y + 4, 'grid'),
    label(x(tick), y + 20, String(tick), 'middle quiet'),
  ]);
  return svgPicture(texts, WIDTH, y + FOOT, [...grid, ...parts].join('\n'));
}

/** A line with two ends, in an edge of the ground's colour that sets it off from the bar. */
function interval(low: number, high: number, middle: number): string {
  return ['interval-edge', 'interval']
    .flatMap((look) => [
      line(low, middle, high, middle, look),
      line(low, middle - 4, low, middle + 4, look),
      line(high, middle - 4, high, middle + 4, look),
    ])
    .join('');
}

import { fourDecimals } from '../trec-eval-text.js';
import { axisTicks, bar, type ChartTexts, label, line, svgPicture } from './svg.js';

const WIDTH = 800;
const HEIGHT = 280;
const LEFT = 60;
const TOP = 12;
const FOOT = 28;

/** A bar per query, from the greatest gain over the baseline to the greatest loss. */
export function differenceChart(
  texts: ChartTexts,
  queries: readonly string[],
  differences: Float64Array,
): string {
  const order = Array.from(differences.keys()).sort((a, b) => differences[b]! - differences[a]!);
  const ticks = axisTicks(differences.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  const middle = TOP + (HEIGHT - TOP - FOOT) / 2;
  const scale = (HEIGHT - TOP - FOOT) / 2 / ticks.at(-1)!;
  const step = (WIDTH - LEFT) / Math.max(1, order.length);
  // Neighbours are told apart by a gap where there is room for one.
  const width = step > 4 ? step - 1 : step;
  const bars = order.map((query, place) => {
    const value = differences[query]!;
    const height = Math.abs(value) * scale;
    const look = value > 0 ? 'gain' : 'loss';
    const hint = `${queries[query]}: ${signed(value)}`;
    return bar(LEFT + place * step, value > 0 ? middle - height : middle, width, height, look, hint);
  });
  const grid = ticks.flatMap((tick) =>
    (tick === 0 ? [0] : [tick, -tick]).flatMap((value) => [
      line(LEFT, middle - value * scale, WIDTH, middle - value * scale, value === 0 ? 'axis' : 'grid'),
      label(LEFT - 8, middle - value * scale + 4, value === 0 ? '0' : signedTick(value), 'end quiet'),
    ]),
  );
  const foot = label(
    LEFT,
    HEIGHT - 6,
    `${order.length} queries, from the greatest gain to the greatest loss`,
    'quiet',
  );
  return svgPicture(texts, WIDTH, HEIGHT, [...grid, ...bars, foot].join('\n'));
}

/** A difference with its sign, as it is shown in texts. */
export function signed(value: number): string {
  return value < 0 ? `−${fourDecimals(-value)}` : `+${fourDecimals(value)}`;
}

function signedTick(value: number): string {
  return value < 0 ? `−${-value}` : `+${value}`;
}

import { describe, expect, test } from 'vitest';
import { barChart } from '../../../../src/evaluation/report/bar-chart.js';
import { differenceChart } from '../../../../src/evaluation/report/difference-chart.js';
import { precisionRecallChart } from '../../../../src/evaluation/report/precision-recall-chart.js';
import { DARK_SERIES, LIGHT_SERIES, REPORT_STYLE } from '../../../../src/evaluation/report/report-style.js';
import { axisTicks, escaped, SERIES_LOOKS } from '../../../../src/evaluation/report/svg.js';

const texts = { id: 'chart', title: 'A <title>', description: 'What it "says"' };

/** The attributes of each element of a kind, as numbers where they are. */
function elements(svg: string, pattern: RegExp): Record<string, string | number>[] {
  return [...svg.matchAll(pattern)].map(([element]) =>
    Object.fromEntries(
      [...element.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        Number.isNaN(Number(value)) ? value! : Number(value),
      ]),
    ),
  );
}

describe('ticks of an axis', () => {
  test.each([
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0.83, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0.5, [0, 0.1, 0.2, 0.3, 0.4, 0.5]],
    [0.021, [0, 0.005, 0.01, 0.015, 0.02, 0.025]],
    [7, [0, 2, 4, 6, 8]],
    [40, [0, 10, 20, 30, 40]],
    [0, [0, 1]],
  ])('to %d are %j', (greatest, ticks) => {
    expect(axisTicks(greatest)).toEqual(ticks);
  });

  test('always reach what they are for, in few round steps', () => {
    for (let greatest = 1e-6; greatest < 1e6; greatest *= 1.37) {
      const ticks = axisTicks(greatest);
      expect(ticks.at(-1)!).toBeGreaterThanOrEqual(greatest * (1 - 1e-9));
      expect(ticks.length).toBeGreaterThan(2);
      expect(ticks.length).toBeLessThan(8);
      for (const tick of ticks) expect(String(tick).replace(/e.*$/, '').length).toBeLessThan(11);
    }
  });
});

describe('bars', () => {
  const group = (means: readonly number[]) => ({
    name: 'map',
    bars: means.map((mean, i) => ({ label: `run ${i}`, mean, low: mean - 0.1, high: mean + 0.1 })),
  });
  const svg = barChart(texts, [group([0.2, 0.4, 0.9]), group([0.1, 0.3, 0.6])]);

  test('are as long as their means, one below the other, in the colour of their run', () => {
    const bars = elements(svg, /<rect [^>]*>/g);
    expect(bars.map(({ width }) => width)).toEqual([0.2, 0.4, 0.9, 0.1, 0.3, 0.6].map((mean) => mean * 520));
    expect(bars.map((bar) => bar['class'])).toEqual([0, 1, 2, 0, 1, 2].map((run) => `series-${run}`));
    const tops = bars.map(({ y }) => Number(y));
    expect([...tops].sort((a, b) => a - b)).toEqual(tops);
  });

  test('carry their intervals', () => {
    const [first] = elements(svg, /<line class="interval" [^>]*>/g);
    expect(first).toMatchObject({ x1: 210 + 0.1 * 520, x2: 210 + 0.3 * 520 });
  });

  test('say their name and description, as text', () => {
    expect(svg).toContain('role="img" aria-labelledby="chart-title chart-description"');
    expect(svg).toContain('<title id="chart-title">A &#60;title&#62;</title>');
    expect(svg).toContain('<desc id="chart-description">What it &#34;says&#34;</desc>');
    expect(svg).toContain('<title>run 0: 0.2000, interval 0.1000 to 0.3000</title>');
  });

  test('a long name is cut where it is drawn, not where it is asked for', () => {
    const label = `${'x'.repeat(40)}é`;
    const cut = barChart(texts, [{ name: 'map', bars: [{ label, mean: 0.5, low: 0.4, high: 0.6 }] }]);
    expect(cut).toContain(`>${'x'.repeat(27)}…<title>${label}</title></text>`);
  });
});

describe('differences', () => {
  const svg = differenceChart(texts, ['q1', 'q2', 'q3', 'q4'], Float64Array.of(-0.5, 0.25, 0, 1));
  const bars = elements(svg, /<rect [^>]*>/g);

  test('go from the greatest gain to the greatest loss, up and down from one line', () => {
    const hints = [...svg.matchAll(/<title>([^<]*)<\/title><\/rect>/g)].map(([, hint]) => hint);
    expect(hints).toEqual(['q4: +1.0000', 'q2: +0.2500', 'q3: +0.0000', 'q1: −0.5000']);
    expect(bars.map(({ height }) => height)).toEqual([120, 30, 0, 60]);
    const [axis] = elements(svg, /<line class="axis" [^>]*>/g);
    expect(
      bars.map(({ y, height }) => [y, Number(y) + Number(height)].includes(Number(axis!['y1']))),
    ).toEqual(Array(4).fill(true));
    expect(bars.map((bar) => bar['class'])).toEqual(['gain', 'gain', 'loss', 'loss']);
  });

  test('equal runs make a flat chart', () => {
    const flat = differenceChart(texts, ['q1'], new Float64Array(1));
    expect(elements(flat, /<rect [^>]*>/g)[0]).toMatchObject({ height: 0 });
    expect(flat).not.toContain('NaN');
  });
});

describe('curves of precision over recall', () => {
  const curve = (label: string) => ({ label, recalls: [0, 0.5, 1], precisions: [1, 0.5, 0] });
  const svg = precisionRecallChart(texts, ['a', 'b', '<c>'].map(curve));

  test('go through their points, and are told apart by colour, dashes and marks', () => {
    const lines = elements(svg, /<polyline [^>]*>/g);
    expect(lines[0]).toMatchObject({ points: '60,12 270,153 480,294', class: 'curve series-0' });
    expect(new Set(lines.map((line) => line['class'])).size).toBe(3);
    const marks = elements(svg, /<path [^>]*>/g);
    expect(marks).toHaveLength(3 * 4);
    expect(new Set(marks.map(({ d }) => d)).size).toBe(3);
    expect(new Set(REPORT_STYLE.match(/stroke-dasharray: [^;]+/g)).size).toBe(SERIES_LOOKS);
    expect(svg).toContain('&#60;c&#62;');
  });
});

test('series stand out from the ground by 3:1 at least, in light and in dark', () => {
  expect([LIGHT_SERIES.length, DARK_SERIES.length]).toEqual([SERIES_LOOKS, SERIES_LOOKS]);
  for (const colour of LIGHT_SERIES) expect(contrast(colour, '#ffffff')).toBeGreaterThan(3);
  for (const colour of DARK_SERIES) expect(contrast(colour, '#1f2228')).toBeGreaterThan(3);

  /** The ratio of WCAG 2. */
  function contrast(one: string, other: string): number {
    const luminance = (colour: string) => {
      const [red, green, blue] = [1, 3, 5].map((at) => {
        const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
    };
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high! + 0.05) / (low! + 0.05);
  }
});

test('texts cannot become markup', () => {
  expect(escaped(`<a b="c" d='e'>&`)).toBe('&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;');
});

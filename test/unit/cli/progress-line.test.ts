import { describe, expect, it } from 'vitest';
import { ProgressLine } from '../../../src/cli/progress-line.js';

function terminal(columns = 80) {
  const written: string[] = [];
  return { written, columns, write: (text: string) => written.push(text) };
}

describe('ProgressLine', () => {
  it('says count, rate, share and time left', () => {
    const screen = terminal();
    let now = 0;
    const line = new ProgressLine(screen, true, () => now);
    line.update('lines', 0, 0);
    now = 10_000;
    line.update('lines', 12_345, 0.25);
    now = 3_610_000;
    line.update('lines', 20_000, 0.5);
    expect(screen.written).toEqual([
      '\r\x1b[2Klines 0 · 0 %',
      '\r\x1b[2Klines 12,345 · 1,235/s · 25 % · 0:30 left',
      '\r\x1b[2Klines 20,000 · 5.5/s · 50 % · 1:00:10 left',
    ]);
  });

  it('counts rate and time left from where a task goes on', () => {
    const screen = terminal();
    let now = 0;
    const line = new ProgressLine(screen, true, () => now);
    line.update('steps', 500, 0.5);
    now = 10_000;
    line.update('steps', 600, 0.75);
    expect(screen.written.at(-1)).toBe('\r\x1b[2Ksteps 600 · 10/s · 75 % · 0:10 left');
  });

  it('draws at most ten times a second, and at once for another task', () => {
    const screen = terminal();
    let now = 0;
    const line = new ProgressLine(screen, true, () => now);
    for (now = 0; now < 1000; now += 1) line.update('a', now);
    expect(screen.written).toHaveLength(10);
    line.update('b', 0);
    expect(screen.written.at(-1)).toBe('\r\x1b[2Kb 0');
  });

  it('ends with a note where there is one', () => {
    const screen = terminal();
    new ProgressLine(screen, true, () => 0).update('steps', 0, 0, 'loss 0.5');
    expect(screen.written).toEqual(['\r\x1b[2Ksteps 0 · 0 % · loss 0.5']);
  });

  it('never wraps', () => {
    const screen = terminal(12);
    new ProgressLine(screen, true).update('a long name of a task', 7);
    expect(screen.written).toEqual(['\r\x1b[2Ka long name']);
  });

  it('takes a terminal without a width for one of 80 columns', () => {
    const screen = terminal(0);
    new ProgressLine(screen, true).update('x'.repeat(100), 7);
    expect(screen.written).toEqual([`\r\x1b[2K${'x'.repeat(79)}`]);
  });

  it('wipes what it drew, once', () => {
    const screen = terminal();
    const line = new ProgressLine(screen, true);
    line.clear();
    line.update('a', 1);
    line.clear();
    line.clear();
    expect(screen.written.slice(1)).toEqual(['\r\x1b[2K']);
  });

  it('is silent where it is not on a terminal', () => {
    const screen = terminal();
    const line = new ProgressLine(screen, false);
    line.update('a', 1, 0.5);
    line.clear();
    expect(screen.written).toEqual([]);
  });
});

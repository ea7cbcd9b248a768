// The report of `granule eval --html`, in a real browser.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { htmlReport } from '../../src/evaluation/report/html-report.js';
import { compareRuns } from '../../src/evaluation/significance/compare-runs.js';
import { runWithRanks } from '../unit/evaluation/report/runs-with-ranks.js';
import { CHROMIUM, screenshot, useBrowser } from './browser.js';

const measures = ['num_q', 'recip_rank', 'success.1', 'utility', 'iprec_at_recall'];
const ranks = (shift: number) => Array.from({ length: 40 }, (_, i) => (i * i + shift * (i % 3)) % 5);
const HOSTILE = `"><script>document.title='taken'</script><img src=x onerror=alert(1)>`;
const runs = [
  runWithRanks('bm25', ranks(0), measures),
  runWithRanks('dense', ranks(2), measures),
  runWithRanks(HOSTILE, ranks(3), measures),
];
const comparisons = compareRuns(
  runs[0]!.evaluation,
  runs.slice(1).map(({ evaluation }) => evaluation),
  { measures: ['recip_rank', 'success_1'] },
);

describe('what a report holds', () => {
  const title = `Runs & "more" ${HOSTILE}`;
  const report = htmlReport({ title, runs, comparisons });

  test('is one file without scripts or anything from elsewhere, and the same for equal input', () => {
    expect(report).toBe(htmlReport({ title, runs, comparisons }));
    expect(report).not.toMatch(/<script|<img|<link|<iframe|@import|url\(|https?:/);
    expect(report).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test('bars are of means between 0 and 1, without those that the curves show; tables have all', () => {
    const chart = report.slice(report.indexOf('<title id="measures-title">'), report.indexOf('All measures'));
    expect([...chart.matchAll(/class="strong"[^>]*>([^<]*)</g)].map(([, name]) => name)).toEqual([
      'recip_rank',
      'success_1',
    ]);
    for (const name of ['num_q', 'utility', 'iprec_at_recall_0.10'])
      expect(report).toContain(`<th scope="row">${name}</th>`);
  });

  test('leaves out what was not measured or compared', () => {
    const bare = htmlReport({ title: 'One', runs: [runWithRanks('one', [1], ['recip_rank'])] });
    expect(bare).toContain('1 run, measured on 1 query.');
    expect(bare).not.toContain('Precision and recall');
    expect(bare).not.toContain('Comparison');
    const counts = htmlReport({ title: 'Counts', runs: [runWithRanks('one', [1], ['num_q'])] });
    expect(counts).not.toContain('<svg');
    expect(() => htmlReport({ title: 'None', runs: [] })).toThrow(/at least one run/);
    expect(() => htmlReport({ title: 'x', runs }, { level: 1 } as object)).toThrow(/no option level/);
  });

  test('says where runs were measured on different queries', () => {
    const some = [runs[0]!, runWithRanks('few', [1, 2], measures)];
    expect(htmlReport({ title: 'x', runs: some })).toContain(
      'different numbers of queries: bm25 on 40, few on 2.',
    );
  });

  test('says in words what the comparison found', () => {
    const [{ wins, ties, losses }] = comparisons as [(typeof comparisons)[0]];
    expect(report).toMatch(
      new RegExp(
        `<p>[+−]0\\.\\d{4} \\(interval [+−]0\\.\\d{4} to [+−]0\\.\\d{4}\\), corrected p = \\d\\.\\d{4}: better on ${wins} queries, equal on ${ties}, worse on ${losses}\\.</p>`,
      ),
    );
  });
});

const reason = CHROMIUM === undefined ? ' (SKIPPED: there is no Chromium; CHROMIUM may name one)' : '';

describe.skipIf(CHROMIUM === undefined)(`the report in a browser${reason}`, () => {
  const browser = useBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'granule-report-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'report.html');
  writeFileSync(file, htmlReport({ title: `Report ${HOSTILE}`, runs, comparisons }));
  const url = pathToFileURL(file).href;

  test.each(['light', 'dark'] as const)(
    'is drawn in %s, with names that screen readers find',
    async (scheme) => {
      const { page, complaints } = await browser.open(url);
      await page.emulateMedia({ colorScheme: scheme });
      expect(await page.title()).toBe(`Report ${HOSTILE}`);
      const pictures = page.getByRole('img');
      expect(await pictures.count()).toBe(4);
      for (const name of [
        'Means over queries',
        'Interpolated precision over recall',
        'dense less bm25 by recip_rank',
      ]) {
        expect(await page.getByRole('img', { name }).count()).toBe(1);
      }
      const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
      expect(new Set(ids).size).toBe(ids.length);
      const [ground, text] = (await page.evaluate(
        'const { backgroundColor, color } = getComputedStyle(document.body); [backgroundColor, color]',
      )) as string[];
      const light = 'rgb(251, 251, 250)';
      expect(ground === light).toBe(scheme === 'light');
      expect(text).not.toBe(ground);
      const fills = (await page.evaluate(
        "[...document.querySelectorAll('polyline')].map((curve) => [getComputedStyle(curve).fill, getComputedStyle(curve).stroke])",
      )) as string[][];
      expect(fills.every(([fill]) => fill === 'none')).toBe(true);
      expect(new Set(fills.map(([, stroke]) => stroke)).size).toBe(3);
      await page.locator('summary').first().click();
      expect(await page.getByRole('table', { name: 'Measures of each run' }).isVisible()).toBe(true);
      await screenshot(page, `eval-report-${scheme}`);
      expect(complaints).toEqual([]);
    },
  );

  test('fits a phone, where wide parts move by themselves and by the keyboard', async () => {
    const { page } = await browser.open(url);
    await page.setViewportSize({ width: 360, height: 700 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const table = page.getByRole('region', { name: 'Comparison of the runs' });
    await table.focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => table.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(0);
  });
});

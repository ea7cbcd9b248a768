// The web page, in a real browser over a real server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKnowledgeBase } from '../../src/server/corpus-knowledge-base.js';
import { CHROMIUM, screenshot, useBrowser } from './browser.js';
import { FakeKnowledgeBase } from './fake-knowledge-base.js';
import { makeKnowledgeBase } from './knowledge-base-folder.js';
import { serve, startServer, until } from './running-server.js';

const QUESTION = 'What is the capital of this country?';

const reason = CHROMIUM === undefined ? ' (SKIPPED: there is no Chromium; CHROMIUM may name one)' : '';

describe.skipIf(CHROMIUM === undefined)(`the web page${reason}`, () => {
  const browser = useBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'granule-page-'));
  let built: Awaited<ReturnType<typeof makeKnowledgeBase>>;
  beforeAll(async () => {
    built = await makeKnowledgeBase(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const picture = () => ({ name: 'red.png', mimeType: 'image/png', buffer: built.red });
  const answer = (page: Page) => page.locator('#answer');

  test('answers a question about a picture and shows what led to it', async () => {
    const { url } = await serve(await openKnowledgeBase(built.kb));
    const { page, complaints } = await browser.open(url);
    await expect
      .poll(() => page.locator('#status').textContent())
      .toMatch(/^2 entities, 2 passages, 2 images/);
    await page.setInputFiles('#file', picture());
    await page.fill('#question', QUESTION);
    await page.keyboard.press('Enter');
    await answer(page).waitFor();

    expect(await answer(page).textContent()).toBe('Crimson');
    expect(await page.locator('.selected mark').textContent()).toBe('Crimson');
    expect(await page.locator('.entities button[aria-pressed=true]').textContent()).toMatch(/^Ruby/);
    const meters = page.getByRole('meter');
    expect(await meters.count()).toBe(4);
    const [entity, passage, read, joint] = await meters.evaluateAll((all) =>
      all.map((meter) => Number(meter.getAttribute('aria-valuenow')) / 100),
    );
    expect(entity! * passage! * read!).toBeCloseTo(joint!, 2);
    expect(await page.locator('.bars dt', { hasText: /^total$/ }).count()).toBe(1);
    await page.locator('summary', { hasText: 'How the answer came about' }).click();
    expect(await page.locator('ol.trace').innerText()).toMatch(/Answer by the likeliest path: Crimson/);

    const match = page.locator('.pair .match').first();
    expect(await match.locator('line').isVisible()).toBe(false);
    await match.locator('polygon').first().hover({ force: true });
    await expect.poll(() => page.locator('.pair .match:hover line').count()).toBe(1);
    await screenshot(page, 'answer-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 420, height: 900 });
    await screenshot(page, 'answer-dark-narrow');
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    expect(complaints).toEqual([]);
  });

  test('outlines patches where they are, at every width', async () => {
    const { url } = await serve(await openKnowledgeBase(built.kb));
    const { page } = await browser.open(url);
    await page.setInputFiles('#file', picture());
    await page.fill('#question', QUESTION);
    await page.keyboard.press('Enter');
    await answer(page).waitFor();
    for (const width of [1200, 600]) {
      await page.setViewportSize({ width, height: 900 });
      // The indexed image is its own 8 x 8 patches: what is drawn on it covers it, and nothing else.
      await expect
        .poll(() =>
          page.evaluate(() => {
            const image = document.querySelectorAll('.pair img')[1]!.getBoundingClientRect();
            const drawn = [...document.querySelectorAll('.pair .match polygon:last-child')].map((polygon) =>
              polygon.getBoundingClientRect(),
            );
            const inside = drawn.every(
              ({ left, right, top, bottom }) =>
                left >= image.left - 2 &&
                right <= image.right + 2 &&
                top >= image.top - 2 &&
                bottom <= image.bottom + 2,
            );
            const widths = drawn.map((rect) => Math.round((rect.width / image.width) * 8));
            return inside && drawn.length > 8 && widths.every((eighths) => eighths === 1);
          }),
        )
        .toBe(true);
    }
  });

  test('can be used with the keyboard alone', async () => {
    const { url } = await serve(await openKnowledgeBase(built.kb));
    const { page } = await browser.open(url);
    await page.setInputFiles('#file', picture());
    await page.focus('#question');
    await page.keyboard.type(QUESTION);
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.press('Enter');
    await answer(page).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    for (let i = 0; i < 12 && !(await focused()).startsWith('Sapphire'); i++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.locator('.entities button[aria-pressed=true]').textContent()).toMatch(/^Sapphire/);
    expect(await page.locator('.pair figcaption').last().textContent()).toMatch(/^Sapphire/);
    // Past the last entity.
    await page.keyboard.press('Tab');
    await expect.poll(() => page.locator('.pair .match:focus line').count()).toBe(1);
    expect(
      await page.locator('.pair .match:focus line').evaluate((line) => getComputedStyle(line).visibility),
    ).toBe('visible');
  });

  test('takes a picture that is pasted or dropped, and refuses other files', async () => {
    const { url } = await startServer();
    const { page } = await browser.open(url);
    const give = (how: 'paste' | 'drop', type: string) =>
      page.evaluate(
        ([name, mime, base64]) => {
          const bytes = Uint8Array.from(atob(base64!), (letter) => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], 'file', { type: mime! }));
          const event =
            name === 'paste'
              ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
              : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
          document.body.dispatchEvent(event);
        },
        [how, type, built.red.toString('base64')],
      );
    const preview = page.locator('#preview');
    await give('paste', 'image/png');
    await expect.poll(() => preview.isVisible()).toBe(true);
    await page.click('#remove');
    expect(await preview.isVisible()).toBe(false);
    await give('drop', 'image/png');
    await expect.poll(() => preview.isVisible()).toBe(true);
    await page.click('#remove');
    await give('drop', 'text/plain');
    expect(await page.getByRole('alert').textContent()).toBe('That is not a picture.');
    expect(await preview.isVisible()).toBe(false);
  });

  test('shows stages as they come; Escape stops the work on the server too', async () => {
    const { url, knowledgeBase } = await startServer();
    knowledgeBase.gate = () => new Promise(() => {});
    const { page } = await browser.open(url);
    await page.fill('#question', QUESTION);
    await page.keyboard.press('Enter');
    await until(() => knowledgeBase.running === 1);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('alert').textContent()).toBe('Stopped.');
    await until(() => knowledgeBase.aborted === 1);
    expect(await page.locator('#ask').isEnabled()).toBe(true);
    await screenshot(page, 'stopped');
  });

  test('asks for a token where the server needs one', async () => {
    const tokens = { read: 'r'.repeat(32), write: 'w'.repeat(32) };
    const { url } = await startServer({ tokens });
    const { page } = await browser.open(url);
    await page.fill('#token', 'wrong');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#token').isVisible()).toBe(true);
    await page.fill('#token', tokens.read);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#status').textContent()).toMatch(/entit/);
    await page.fill('#question', QUESTION);
    await page.keyboard.press('Enter');
    await answer(page).waitFor();
    await screenshot(page, 'token');
  });

  test('tells the error of the server in words', async () => {
    const { url, knowledgeBase } = await startServer();
    knowledgeBase.gate = () => Promise.reject(new Error('broken'));
    const { page } = await browser.open(url);
    await page.fill('#question', QUESTION);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/\[INTERNAL\]$/);
    await screenshot(page, 'error');
  });

  test('shows markup of a knowledge base as text', async () => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    class Evil extends FakeKnowledgeBase {
      override async ask(...call: Parameters<FakeKnowledgeBase['ask']>) {
        const said = await super.ask(...call);
        const passage = { ...said.passages[0]!.passage, text: evil };
        return { ...said, answer: evil, passages: [{ ...said.passages[0]!, passage }] };
      }
    }
    const { url } = await serve(new Evil());
    const { page, complaints } = await browser.open(url);
    await page.fill('#question', QUESTION);
    await page.keyboard.press('Enter');
    await answer(page).waitFor();
    expect(await answer(page).textContent()).toBe(evil);
    expect(await page.locator('.passages').first().textContent()).toContain(evil);
    expect(await page.title()).toBe('Granule');
    expect(complaints).toEqual([]);
  });
});

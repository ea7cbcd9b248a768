import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A browser that is installed here, by `CHROMIUM` or in its usual place; undefined where there is none. */
export const CHROMIUM = [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => existsSync(path));

const SCREENSHOTS = 'build/page-screenshots';

/** A page of a browser, with what must not happen on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console, errors that nobody caught, and requests to other hosts. */
  readonly complaints: string[];
}

/** One browser for the tests of a file. */
export function useBrowser(): { open(url: string): Promise<WatchedPage> } {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (CHROMIUM === undefined) return;
    // Its sandbox does not work for root, and the pages are our own.
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  }, 30_000);
  afterAll(() => browser?.close());
  return {
    async open(url) {
      const page = await browser!.newPage({ viewport: { width: 1200, height: 900 } });
      onTestFinished(() => page.close());
      page.setDefaultTimeout(10_000);
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => {
        const isOwn = request.url().startsWith(url) || request.url().startsWith(`blob:${url}`);
        if (!isOwn) complaints.push(`request to ${request.url()}`);
      });
      await page.goto(url);
      return { page, complaints };
    },
  };
}

/** Keeps a picture of the whole page, for people to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

import { beforeAll, expect, it } from 'vitest';
import { buildPackage, runScript } from './built-package.js';

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('event-loop');
}, 120_000);

it('the event loop is free while rows are added, searched, saved and opened', async () => {
  const measured = await runScript<Record<string, { held: number; longestTurn: number; whole: number }>>(
    'event-loop.mjs',
    [packageUrl],
  );
  const lines = Object.entries(measured).map(
    ([what, { held, longestTurn, whole }]) =>
      `${what}: held ${held.toFixed(2)} ms, longest turn ${longestTurn.toFixed(2)} ms, of ${whole.toFixed(0)} ms`,
  );
  console.log(lines.join('\n'));
  for (const [what, { held, longestTurn }] of Object.entries(measured)) {
    // The aim is 1 ms. On a shared machine the system takes the thread away for longer, so that only 50 ms is a failure.
    expect(held, `${what}: held`).toBeLessThan(50);
    expect(longestTurn, `${what}: longest turn of the loop`).toBeLessThan(50);
  }
}, 120_000);

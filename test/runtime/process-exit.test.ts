import { beforeAll, describe, expect, it } from 'vitest';
import { buildPackage, runScript } from './built-package.js';

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('process-exit');
}, 120_000);

describe('a process', () => {
  it.each([
    ['ends by itself when nothing is under way', 'idle'],
    ['may exit in the middle of a search and an add', 'exit'],
    ['does not end before a search that is under way', 'unsettled'],
  ])('%s', async (_, mode) => {
    expect(await runScript('exit.mjs', [packageUrl, mode])).toEqual({});
  });
});

import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildPackage, copyPackage, ROOT, runScript } from './built-package.js';

let folder = '';
let packageUrl = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'granule-copy-'));
  packageUrl = await buildPackage('two-copies');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('two installations in one process work side by side, each with errors of its own class', async () => {
  const copy = copyPackage(packageUrl, folder);
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  expect(await runScript('two-copies.mjs', [packageUrl, copy])).toEqual({
    classes: 2,
    versions: [version, '0.0.0'],
    same: true,
    errors: [
      { code: 'NOT_FINITE', ownClass: true },
      { code: 'NOT_FINITE', ownClass: true },
    ],
  });
});

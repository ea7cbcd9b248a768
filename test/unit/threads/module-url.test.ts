import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import moduleUrl from '../../../src/threads/module-url.cjs';

const SOURCE = join(import.meta.dirname, '../../../src/threads/module-url.cjs');

/** The file as a bundle would hold it: in a folder where none of the modules lie, or without any folder. */
function bundled(folder: string | undefined): typeof moduleUrl {
  const module = { exports: moduleUrl };
  const run = new Function('require', 'module', '__dirname', readFileSync(SOURCE, 'utf8'));
  run(createRequire(SOURCE), module, folder);
  return module.exports;
}

test('a module is found beside, compiled where TypeScript itself runs', () => {
  const url = moduleUrl('threads/thread-program.js');
  expect(url).toMatch(/^file:.*\/dist\/esm\/threads\/thread-program\.js$/);
  expect(existsSync(fileURLToPath(url!))).toBe(true);
  expect(moduleUrl('threads/no-such-module.js')).toBeUndefined();
});

test.each([undefined, '/', import.meta.dirname])('in a bundle it is not (%s)', (folder) => {
  expect(bundled(folder)('threads/thread-program.js')).toBeUndefined();
});

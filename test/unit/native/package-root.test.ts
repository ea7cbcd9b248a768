import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import packageRoot from '../../../src/native/package-root.cjs';

it('is the folder of the package.json that names the package', () => {
  expect(packageRoot()).toBe(path.resolve(import.meta.dirname, '../../..'));
  expect(JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')).name).toBe('granule');
});

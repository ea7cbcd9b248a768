import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('the addon and the TypeScript carry the digest of the border as its types describe it', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/native-border.mjs'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

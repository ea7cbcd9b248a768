import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../examples', import.meta.url));
const OUTPUTS = new Map([
  ['ask.mjs', /^2 taken, 0 refused\nCobalt\nAzuria, p = [01]\.\d{3}, in passage azure-1\n$/],
  ['search.mjs', /^0\.\d{3} {2}Eagles fly high and see far\.\n0\.\d{3} {2}/],
]);

it.each([...OUTPUTS])('examples/%s prints what it promises', async (name, output) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, name)]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(output);
});

it('every example is run', () => {
  expect(readdirSync(folder).toSorted()).toEqual([...OUTPUTS.keys()].toSorted());
});

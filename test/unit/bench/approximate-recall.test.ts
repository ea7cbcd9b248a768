import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

interface Part {
  queries: number;
  results: { name: string; bytes: number; searches: { k: number; recall: number; rowsScored: number }[] }[];
}

const folder = mkdtempSync(join(tmpdir(), 'granule-recall-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reports the recall of every approximate search against the exact one', async () => {
  const json = join(folder, 'recall.json');
  const sizes = ['--documents', '120', '--dimension', '8', '--queries', '4', '--json', json];
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/approximate/recall.mjs', ...sizes]);
  const parts = JSON.parse(readFileSync(json, 'utf8')) as Part[];
  const recalls = (name: string) =>
    parts
      .flatMap(({ results }) => results)
      .filter((result) => result.name.startsWith(name))
      .map(({ searches }) => searches.map(({ recall }) => recall));
  // Exact searches find what they find, and so does who looks at all documents or all their vectors.
  for (const name of ['MultiVectorIndex', 'FlatIndex', 'MUVERA, 1000'])
    expect(recalls(name)).toEqual([[1, 1]]);
  expect(recalls('PLAID')).toHaveLength(4);
  for (const [ten, hundred] of recalls('PLAID')) {
    expect(ten).toBeGreaterThan(0);
    // One cell per query vector and a quarter of the candidates cannot hold all of the first hundred.
    expect(hundred).toBeLessThan(1);
  }
  const [one, ...more] = recalls('IVF');
  expect(one![1]).toBeLessThan(more.at(-1)![1]!);
  for (const name of ['PLAID, 2 bits', 'MUVERA, 200 candidates', 'IVF, 1 of '])
    expect(stdout).toContain(name);
}, 60_000);

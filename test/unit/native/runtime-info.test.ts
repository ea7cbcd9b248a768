import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { runtimeInfo } from '../../../src/index.js';

it('reports versions, the chosen instruction set and why, kernels and backends', () => {
  const info = runtimeInfo();
  expect(info.version).toBe(createRequire(import.meta.url)('../../../package.json').version);
  expect(info.node).toBe(process.versions.node);
  expect(info.abi).toBeGreaterThan(0);
  expect(info.isaAvailable).toContain(info.isa);
  expect(info.isaAvailable).toContain('scalar');
  expect(info.isaReason).not.toBe('');
  expect(info.threads).toBeGreaterThan(0);
  expect(info.compiler).not.toBe('');
  expect(Object.keys(info.kernels).length).toBeGreaterThan(0);
  // An operation may run on a weaker set's kernel; the inner products of each set but VNNI's are its own.
  expect(info.kernels['innerProduct']).toContain(info.isa.replace('vnni', ''));
  for (const symbol of Object.values(info.kernels)) {
    expect(symbol === 'none' || info.isaAvailable.some((isa) => symbol.endsWith(isa))).toBe(true);
  }
});

it('names every backend, and gives a reason where one cannot run', () => {
  const { backends } = runtimeInfo();
  expect(backends.find(({ name }) => name === 'cpu')).toMatchObject({ available: true });
  const cuda = backends.find(({ name }) => name === 'cuda');
  expect(cuda).toBeDefined();
  if (!cuda!.available) expect(cuda!.reason).not.toBe('');
});

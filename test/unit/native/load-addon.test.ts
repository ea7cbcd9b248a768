import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

let root = '';

beforeEach(() => {
  vi.resetModules();
  root = mkdtempSync(path.join(tmpdir(), 'granule-root-'));
  writeFileSync(path.join(root, 'package.json'), '{ "name": "granule", "version": "0.0.0" }');
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.doUnmock('../../../src/native/package-root.cjs');
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

it('importing the package loads no binary; the first use loads it once', async () => {
  const dlopen = vi.spyOn(process, 'dlopen');
  const { runtimeInfo } = await import('../../../src/index.js');
  expect(dlopen).not.toHaveBeenCalled();
  runtimeInfo();
  runtimeInfo();
  expect(dlopen).toHaveBeenCalledTimes(1);
});

it('a missing addon is reported with every failure met and with possible solutions', async () => {
  vi.doMock('../../../src/native/package-root.cjs', () => ({ default: () => root }));
  mkdirSync(path.join(root, 'build', 'Release'), { recursive: true });
  const broken = path.join(root, 'build', 'Release', 'granule.node');
  writeFileSync(broken, 'not a binary');
  const { loadAddon } = await import('../../../src/native/load-addon.js');
  expect(loadAddon).toThrow(
    expect.objectContaining({
      code: 'ADDON_NOT_FOUND',
      message: expect.stringMatching(/granule\.node: .*[\s\S]*Possible solutions:\n {2}- /),
    }),
  );
  try {
    loadAddon();
  } catch (error) {
    const { failures } = (error as { details: { failures: string[] } }).details;
    expect(failures.length).toBeGreaterThanOrEqual(2);
    expect(failures.some((failure) => failure.startsWith(`${broken}: `))).toBe(true);
    expect(failures.every((failure) => !failure.includes('\n'))).toBe(true);
  }
});

it.each([
  ['of another version', { border: '0123456789abcdef' }, '0123456789abcdef'],
  ['that says nothing of it', {}, 'none'],
])('an addon %s is refused by its file before it is used', async (_, exports, named) => {
  const initialize = vi.fn();
  vi.spyOn(process, 'dlopen').mockImplementation((target) => {
    Object.assign((target as { exports: object }).exports, { ...exports, initialize });
  });
  const { loadAddon } = await import('../../../src/native/load-addon.js');
  expect(loadAddon).toThrow(
    expect.objectContaining({
      code: 'ADDON_NOT_FOUND',
      message: expect.stringMatching(
        new RegExp(
          `granule\\.node: it belongs to another version of this package: its border is ${named}, not`,
        ),
      ),
    }),
  );
  expect(initialize).not.toHaveBeenCalled();
});

it('a package whose root cannot be found reports that', async () => {
  vi.doMock('../../../src/native/package-root.cjs', () => ({
    default: () => {
      throw new Error('no package.json above /bundle');
    },
  }));
  const { loadAddon } = await import('../../../src/native/load-addon.js');
  expect(loadAddon).toThrow(
    expect.objectContaining({
      code: 'ADDON_NOT_FOUND',
      details: { failures: ['no package.json above /bundle'] },
    }),
  );
});

it('GRANULE_ISA with an unknown name is refused with its own code, at every try', async () => {
  vi.stubEnv('GRANULE_ISA', 'abacus');
  const { GranuleError } = await import('../../../src/errors.js');
  const { loadAddon } = await import('../../../src/native/load-addon.js');
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(loadAddon).toThrow(
      expect.objectContaining({ code: 'ISA_UNSUPPORTED', message: expect.stringContaining('abacus') }),
    );
    expect(loadAddon).toThrow(GranuleError);
  }
});

it('two copies of the package get errors of their own class', async () => {
  const first = await import('../../../src/index.js');
  vi.resetModules();
  const second = await import('../../../src/index.js');
  expect(first.GranuleError).not.toBe(second.GranuleError);
  for (const copy of [first, second, first]) {
    const index = new copy.FlatIndex({ dimension: 1 });
    await expect(index.add(Float32Array.of(Number.NaN))).rejects.toBeInstanceOf(copy.GranuleError);
    await expect(index.add(Float32Array.of(1))).resolves.toBe(0);
  }
});

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FlatIndex } from '../../src/index.js';
import { buildPackage, runScript } from './built-package.js';

/** The CUDA backend over an emulator of CUDA, which the native tests build. */
const EMULATED = join(
  import.meta.dirname,
  '../../build-native/release/native/backends/cuda/libgranule_cuda_emulated.so',
);
const folder = mkdtempSync(join(tmpdir(), 'granule-devices-'));

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('devices');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

it.runIf(existsSync(EMULATED))(
  'a search gives the same bits on the CPU and on CUDA, emulated (skipped where the native tests have not built that)',
  async () => {
    const { compared, device } = await runScript<{ compared: Record<string, boolean>; device: string }>(
      'devices.mjs',
      [packageUrl, folder],
      { env: { GRANULE_CUDA_LIBRARY: EMULATED } },
    );
    expect(device).toMatch(/^emulated device/);
    expect(Object.keys(compared)).toHaveLength(10);
    expect(Object.values(compared)).not.toContain(false);
  },
  120_000,
);

it('a search runs on the device that it names', async () => {
  const index = new FlatIndex({ dimension: 2 });
  await index.add(Float32Array.of(1, 2, 3, 4));
  const query = Float32Array.of(1, 1);
  const [byDefault, onCpu] = await Promise.all([
    index.search(query, { k: 2 }),
    index.search(query, { k: 2, device: 'cpu' }),
  ]);
  expect(onCpu).toEqual(byDefault);
  await expect(index.search(query, { k: 2, device: 'tpu' as 'cpu' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'device must be one of auto, cpu, cuda, got tpu',
  });
});

/**
 * The suite on CUDA: on a device, with the library of `GRANULE_TEST_CUDA_LIBRARY`, every case; otherwise over the emulator
 * of CUDA that the native tests build, which takes a thousand times as long, some of each.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runtimeInfo } from '../../src/index.js';
import { describeSearches, EVERYTHING } from './suite.js';

const library =
  process.env['GRANULE_TEST_CUDA_LIBRARY'] ??
  join(import.meta.dirname, '../../build-native/release/native/backends/cuda/libgranule_cuda_emulated.so');
const scope = basename(library).includes('emulated')
  ? ({ metrics: ['l2'], dimensions: [1, 129], threadCounts: [2], large: false } as const)
  : EVERYTHING;

describe.runIf(existsSync(library))(
  `CUDA${existsSync(library) ? '' : ' (skipped: the native tests have not built the emulator)'}`,
  () => {
    beforeAll(() => {
      process.env['GRANULE_CUDA_LIBRARY'] = library;
    });

    it('is what GRANULE_CUDA_LIBRARY brought, and the best device here', () => {
      const { backends } = runtimeInfo();
      expect(backends[0]).toMatchObject({ name: 'cuda', available: true });
    });

    describeSearches({ ...scope, device: 'cuda' });
  },
);

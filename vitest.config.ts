import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.mjs'],
    pool: 'forks',
    // Many tests wait for processes of their own: one file per core, on two cores too.
    maxWorkers: '100%',
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
  },
});

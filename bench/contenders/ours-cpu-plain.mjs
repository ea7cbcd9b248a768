import { cannotOpen, openGranule } from './granule.mjs';

export default {
  name: 'ours-cpu-plain',
  claimsBits: true,
  copies: 2,
  kinds: ['mips', 'add', 'open'],
  async refuses({ workload }) {
    const { FlatIndex } = await import('../../dist/esm/index.js');
    try {
      new FlatIndex({ dimension: 1, codes: 'none' }).dispose();
      return cannotOpen(workload, FlatIndex);
    } catch (error) {
      return `not supported by this build: ${error.message}`;
    }
  },
  open: (task) => openGranule(task, { device: 'cpu', codes: 'none' }),
};

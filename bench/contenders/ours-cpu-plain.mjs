import { openGranule } from './granule.mjs';

export default {
  name: 'ours-cpu-plain',
  claimsBits: true,
  copies: 2,
  async refuses({ workload }) {
    if (!['mips', 'add'].includes(workload.kind)) return 'differs from ours-cpu in FlatIndex only';
    const { FlatIndex } = await import('../../dist/esm/index.js');
    try {
      new FlatIndex({ dimension: 1, codes: 'none' }).dispose();
      return undefined;
    } catch (error) {
      return `not supported by this build: ${error.message}`;
    }
  },
  open: (task) => openGranule(task, { device: 'cpu', codes: 'none' }),
};

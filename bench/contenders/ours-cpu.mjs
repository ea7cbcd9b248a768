import { cannotOpen, openGranule } from './granule.mjs';

export default {
  name: 'ours-cpu',
  claimsBits: true,
  copies: 2,
  kinds: ['mips', 'maxsim', 'softmax', 'add', 'open', 'events'],
  async refuses({ workload }) {
    const { FlatIndex } = await import('../../dist/esm/index.js');
    return cannotOpen(workload, FlatIndex);
  },
  open: (task) => openGranule(task, { device: 'cpu' }),
};

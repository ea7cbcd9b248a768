import { cannotOpen, memoryCopies, openGranule } from './granule.mjs';

export default {
  name: 'ours-cpu',
  exact: true,
  claimsBits: true,
  copies: (workload) => memoryCopies(workload, 1.25),
  kinds: ['mips', 'survivors', 'maxsim', 'softmax', 'add', 'reserved', 'open', 'events', 'memory'],
  async refuses({ workload }) {
    const { FlatIndex } = await import('../../dist/esm/index.js');
    return cannotOpen(workload, FlatIndex);
  },
  open: (task) => openGranule(task, { device: 'cpu' }),
};

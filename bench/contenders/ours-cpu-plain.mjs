import { cannotOpen, memoryCopies, openGranule } from './granule.mjs';

export default {
  name: 'ours-cpu-plain',
  exact: true,
  claimsBits: true,
  proportionalFrom: 64,
  copies: (workload) => memoryCopies(workload, 1),
  kinds: ['mips', 'add', 'open', 'memory'],
  async refuses({ workload }) {
    const { FlatIndex } = await import('../../dist/esm/index.js');
    return cannotOpen(workload, FlatIndex);
  },
  open: (task) => openGranule(task, { device: 'cpu', codes: 'none' }),
};

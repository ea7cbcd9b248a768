import { cannotOpen, memoryCopies, openGranule } from './granule.mjs';
import { openBm25 } from './granule-bm25.mjs';

export default {
  name: 'ours-cpu',
  exact: true,
  claimsBits: true,
  copies: (workload) => (workload.kind === 'bm25' ? 4 : memoryCopies(workload, 1.25)),
  kinds: ['mips', 'survivors', 'maxsim', 'softmax', 'add', 'reserved', 'open', 'events', 'memory', 'bm25'],
  async refuses({ workload }) {
    const { FlatIndex } = await import('../../dist/esm/index.js');
    return cannotOpen(workload, FlatIndex);
  },
  open: (task) => (task.workloads[0].kind === 'bm25' ? openBm25(task) : openGranule(task, { device: 'cpu' })),
};

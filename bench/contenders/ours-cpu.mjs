import { cannotOpen, memoryCopies, openGranule } from './granule.mjs';
import { openBm25 } from './granule-bm25.mjs';
import { openContrast } from './granule-contrast.mjs';

/** Memory in copies of what the dataset holds, where it is not that of an index of vectors. */
const COPIES = { bm25: 4, contrast: 20 };

export default {
  name: 'ours-cpu',
  exact: true,
  claimsBits: true,
  copies: (workload) => COPIES[workload.kind] ?? memoryCopies(workload, 1.25),
  kinds: [
    'mips',
    'survivors',
    'maxsim',
    'softmax',
    'add',
    'reserved',
    'open',
    'events',
    'memory',
    'bm25',
    'contrast',
  ],
  async refuses({ workload }) {
    const { FlatIndex } = await import('../../dist/esm/index.js');
    return cannotOpen(workload, FlatIndex);
  },
  open(task) {
    const [{ kind }] = task.workloads;
    if (kind === 'bm25') return openBm25(task);
    return kind === 'contrast' ? openContrast(task) : openGranule(task, { device: 'cpu' });
  },
};

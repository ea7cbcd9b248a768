import { openGranule } from './granule.mjs';

export default {
  name: 'ours-cpu',
  claimsBits: true,
  copies: 2,
  refuses: ({ workload }) =>
    workload.kind === 'open' ? 'indexes cannot be opened from files in this build' : undefined,
  open: (task) => openGranule(task, { device: 'cpu' }),
};

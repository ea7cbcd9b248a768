/** The workloads that the chart and the README show. */
export const HEADLINES = [
  'mips-10k-384-b1-k10',
  'mips-1m-768-b1-k10',
  'mips-200k-768-b512-k10',
  'mips-1m-128-b512-k10',
  'maxsim-1000x1030-128-q20',
  'maxsim-20000x50-128-q32',
];

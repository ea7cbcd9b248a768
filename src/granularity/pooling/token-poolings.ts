import { mergeTokens } from './merge-tokens.js';
import { poolGrid } from './pool-grid.js';
import { pruneTail } from './prune-tail.js';
import { spaceTokens } from './space-tokens.js';

/**
 * Ways to fewer vectors per document that need no thread, by name. Each takes the vectors, the lengths and its options, and
 * gives what `poolVectors` gives, which has Ward's method and k-means.
 */
export const TOKEN_POOLINGS = {
  'token-merging': mergeTokens,
  'k-spacing': spaceTokens,
  'tail-pruning': pruneTail,
  grid: poolGrid,
} as const;

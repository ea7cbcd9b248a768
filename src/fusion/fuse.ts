import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { averageRank } from './average-rank.js';
import { bordaCount } from './borda-count.js';
import { combMnz } from './comb-mnz.js';
import { combSum } from './comb-sum.js';
import { dempsterShafer } from './evidence/dempster-shafer.js';
import { reciprocalRankFusion } from './reciprocal-rank-fusion.js';
import { scoreBasedFusion } from './score-based-fusion.js';
import { weightedSum } from './weighted-sum.js';

/** The fusion methods by the names that a pipeline gives them. */
export const FUSION_METHODS = {
  'comb-sum': combSum,
  'comb-mnz': combMnz,
  'weighted-sum': weightedSum,
  rrf: reciprocalRankFusion,
  'average-rank': averageRank,
  borda: bordaCount,
  'score-based': scoreBasedFusion,
  'dempster-shafer': dempsterShafer,
};

/** One of the names in `FUSION_METHODS`. */
export type FusionMethod = keyof typeof FUSION_METHODS;

/** A fusion as plain data: the method's name beside its options. */
export type Fusion = {
  [Name in FusionMethod]: { readonly method: Name } & NonNullable<
    Parameters<(typeof FUSION_METHODS)[Name]>[1]
  >;
}[FusionMethod];

/**
 * Fuses lists of one query by a method that is given as data. A row's score is that of the method; equal scores put the lower row
 * first. No lists, or none with a row, give an empty list.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for an unknown method or option, and whatever the method throws
 *
 * @example
 * ```ts
 * fuse([dense, sparse], { method: 'rrf' });
 * fuse([dense, sparse], { method: 'weighted-sum', weights: [0.7, 0.3], normalisation: 'zmuv', missing: 'minimum' });
 * ```
 */
export function fuse(lists: readonly RankedList[], fusion: Fusion): RankedList {
  if (!Object.hasOwn(FUSION_METHODS, fusion?.method)) {
    const names = Object.keys(FUSION_METHODS).join(', ');
    throw new GranuleError('INVALID_ARGUMENT', `method must be one of ${names}, got ${show(fusion?.method)}`);
  }
  // The name was looked up, the function checks its own options.
  const method = FUSION_METHODS[fusion.method] as (
    lists: readonly RankedList[],
    options: object,
  ) => RankedList;
  return method(lists, fusion);
}

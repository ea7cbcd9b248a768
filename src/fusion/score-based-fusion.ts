import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { checkLists } from './fusion-arguments.js';
import { defaultMinimum } from './normalisation/default-minimum.js';
import { globalStatistics, type ScoreStatistics } from './normalisation/global-zmuv-norm.js';
import { weightedSum } from './weighted-sum.js';

/** The published weights, each named after the lists that it weighs, in their order. The last ones add up to 0.9. */
export const SCORE_BASED_FUSION_PRESETS = {
  'dpr + clip': [0.5, 0.5],
  'dpr + clip-image + clip-title': [0.6, 0.2, 0.2],
  'dpr + imagenet + clip + arcface': [0.3, 0.2, 0.2, 0.2],
} as const;

/** One of the names in `SCORE_BASED_FUSION_PRESETS`. */
export type ScoreBasedFusionPreset = keyof typeof SCORE_BASED_FUSION_PRESETS;

/** Options of `scoreBasedFusion`. */
export interface ScoreBasedFusionOptions {
  /** The name in `FUSION_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /** One finite number per list, or the name of published ones. */
  readonly weights: readonly number[] | ScoreBasedFusionPreset;
  /** One per list: those of `scoreBasedFusionStatistics`, stored with the retrievers. */
  readonly statistics: readonly ScoreStatistics[];
}

/**
 * Score-based fusion of text and image retrievers: default minimum, then zero mean and unit variance by each retriever's
 * statistics over all queries, then the weighted sum. A list without results for the query adds nothing. O(lists x rows of all x log).
 *
 * Source: Lerner et al., "ViQuAE, a Dataset for Knowledge-based Visual Question Answering about Named Entities" (2022), and its
 * released code.
 *
 * @param options - `weights` and `statistics`, no defaults
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` for an infinite score
 */
export function scoreBasedFusion(lists: readonly RankedList[], options: ScoreBasedFusionOptions): RankedList {
  checkLists(lists);
  checkKeys(options, ['method', 'weights', 'statistics']);
  const { weights, statistics } = options;
  if (!Array.isArray(statistics)) {
    throw new GranuleError('INVALID_ARGUMENT', `statistics must be an array, got ${show(statistics)}`);
  }
  return weightedSum(lists, {
    weights: typeof weights === 'string' ? publishedWeights(weights) : (weights as readonly number[]),
    normalisation: statistics.map(({ mean, deviation }) => ({ method: 'global-zmuv', mean, deviation })),
    missing: 'minimum',
  });
}

/**
 * The statistics of each retriever that `scoreBasedFusion` uses: of its scores for many queries, each query's lists
 * completed by `defaultMinimum` first, as published.
 *
 * @param queries - for each query one list per retriever, always in the same order
 * @returns one per retriever
 * @throws GranuleError `LENGTH_MISMATCH` where queries differ in their number of lists or a retriever found nothing at all;
 * `NOT_FINITE`
 */
export function scoreBasedFusionStatistics(
  queries: readonly (readonly RankedList[])[],
): readonly ScoreStatistics[] {
  const retrievers = queries[0]?.length ?? 0;
  for (const [query, lists] of queries.entries()) {
    if (lists.length !== retrievers) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `query ${query} has ${lists.length} lists, the first has ${retrievers}`,
        { query },
      );
    }
  }
  const completed = queries.map((lists) => defaultMinimum(lists));
  return Array.from({ length: retrievers }, (_, retriever) =>
    globalStatistics(completed.map((lists) => lists[retriever]!)),
  );
}

function publishedWeights(name: string): readonly number[] {
  if (!Object.hasOwn(SCORE_BASED_FUSION_PRESETS, name)) {
    const names = Object.keys(SCORE_BASED_FUSION_PRESETS).join(', ');
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `weights must be an array or one of ${names}, got ${show(name)}`,
    );
  }
  return SCORE_BASED_FUSION_PRESETS[name as ScoreBasedFusionPreset];
}

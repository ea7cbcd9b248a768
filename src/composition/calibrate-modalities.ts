import { GranuleError } from '../errors.js';
import {
  globalStatistics,
  globalZmuvNorm,
  type ScoreStatistics,
} from '../fusion/normalisation/global-zmuv-norm.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';

/** Statistics of the scores of each modality: plain data, to be stored. */
export type ModalityStatistics = Readonly<Record<string, ScoreStatistics>>;

/**
 * Mean and deviation of each modality's scores, over sample queries. O(all places).
 *
 * @param lists - by modality what some queries found among its items
 * @throws GranuleError `LENGTH_MISMATCH` for a modality without scores; `NOT_FINITE`
 */
export function modalityStatistics(
  lists: Readonly<Record<string, readonly RankedList[]>>,
): ModalityStatistics {
  return Object.fromEntries(
    Object.entries(lists).map(([modality, own]) => [modality, globalStatistics(own)]),
  );
}

/**
 * Merges what one query found among the items of each modality: s' = (s - mean_m) / max(deviation_m, 1e-9) with the stored statistics
 * of its modality, so that images do not stand below texts only because their inner products are smaller. The statistics are those of
 * many queries: a modality that has nothing good for this one stays low. O(places x log).
 *
 * The setting is that of "MultiHaystack: Benchmarking Multimodal Retrieval and Reasoning over 40K Images, Videos, and Documents" (2025).
 *
 * @param lists - by modality; no row is in two of them
 * @throws GranuleError `INVALID_ARGUMENT` for a modality without statistics, or a row in two modalities; `NOT_FINITE`
 */
export function calibrateModalities(
  lists: Readonly<Record<string, RankedList>>,
  statistics: ModalityStatistics,
): RankedList {
  const calibrated = Object.entries(lists).map(([modality, list]) => {
    if (!Object.hasOwn(statistics, modality)) {
      throw new GranuleError('INVALID_ARGUMENT', `there are no statistics of '${modality}'`, { modality });
    }
    const { mean, deviation } = statistics[modality]!;
    return globalZmuvNorm(list, { mean, deviation });
  });
  return rankedList(
    calibrated.flatMap(({ rows }) => [...rows]),
    calibrated.flatMap(({ scores }) => [...scores]),
  );
}

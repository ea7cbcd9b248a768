/**
 * Options that a method learns from queries: weights, and statistics of scores. They are fitted on the task's validation queries, never
 * on those that are measured.
 */
import { globalStatistics, scoreBasedFusionStatistics, tuneWeights } from '../../dist/esm/fusion/index.js';
import { pipeline } from '../../dist/esm/pipeline/index.js';

const FITS = {
  /** All multiples of `step`, by the reciprocal rank of the first relevant row. */
  weights: ({ lists, stage, qrels, ids, step }) => {
    const { stage: _, ...fusion } = stage;
    const reciprocalRank = (query, { rows }) => {
      const place = rows.findIndex((row) => (qrels[query].get(ids[row]) ?? 0) > 0);
      return place === -1 ? 0 : 1 / (place + 1);
    };
    return tuneWeights(lists, reciprocalRank, { step, fusion }).weights;
  },
  statistics: ({ lists }) => scoreBasedFusionStatistics(lists),
  normalisation: ({ lists }) =>
    lists[0].map((_, retriever) => ({
      method: 'global-zmuv',
      ...globalStatistics(lists.map((ofQuery) => ofQuery[retriever])),
    })),
};

/**
 * The pipeline with the fitted options filled in.
 *
 * @param stages - of an experiment; those before the fitted one are searches, whose lists it is fitted on
 * @param fits - `{ stage, option, step }`, the stage by its place from 0
 */
export async function fitOptions(stages, fits, { sources, ids, validation }) {
  const fitted = structuredClone(stages);
  for (const { stage: place, option, step } of fits) {
    const retrievers = fitted.slice(0, place).map((search) => pipeline([search], { sources }));
    const { level } = retrievers[0];
    const lists = [];
    for (const { query, filter } of validation.queries) {
      const found = [];
      for (const retriever of retrievers) found.push((await retriever.retrieve(query, { filter })).list);
      lists.push(found);
    }
    const qrels = validation.queries.map(({ id }) => validation.qrels[level].get(id));
    fitted[place][option] = FITS[option]({ lists, stage: fitted[place], qrels, ids: ids[level], step });
  }
  return fitted;
}

import { crossValidateWeights, fuse } from '../../../dist/esm/fusion/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';

/**
 * The lists of several searches, fused for each query with the weights that the other parts of the queries chose, by the reciprocal
 * rank of the first relevant row.
 */
export async function crossValidatedWeights(
  { sources, ids, queries, qrels },
  { searches, fusion, ...options },
) {
  const retrievers = searches.map((search) => pipeline([search], { sources }));
  const { level } = retrievers[0];
  const lists = new Map();
  for (const { id, query } of queries) {
    const found = [];
    for (const retriever of retrievers) found.push((await retriever.retrieve(query)).list);
    lists.set(id, found);
  }
  const reciprocalRank = (query, { rows }) => {
    const relevant = qrels[level].get(queries[query].id);
    const place = rows.findIndex((row) => relevant.has(ids[level][row]));
    return place === -1 ? 0 : 1 / (place + 1);
  };
  const { folds } = crossValidateWeights([...lists.values()], reciprocalRank, { ...options, fusion });
  const placeOf = new Map(queries.map(({ id }, place) => [id, place]));
  return async ({ id }) => {
    const { weights } = folds[placeOf.get(id) % folds.length];
    const list = fuse(lists.get(id), { ...fusion, weights });
    return { list, level, ids: Array.from(list.rows, (row) => ids[level][row]) };
  };
}

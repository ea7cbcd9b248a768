import { calibrateModalities, modalityStatistics } from '../../../dist/esm/composition/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';
import { rankedList } from '../../../dist/esm/ranking/ranked-list.js';

/** Passages and images in one list: by their scores as they are, or calibrated by the statistics of validation queries. */
export async function mergeModalities({ sources, ids, validation }, { pipelines, calibrated }) {
  const retrievers = Object.values(pipelines).map((stages) => pipeline(stages, { sources }));
  const modalities = retrievers.map(({ level }) => level);
  const pool = modalities.flatMap((level) => ids[level]);
  const first = modalities.map((_, i) =>
    modalities.slice(0, i).reduce((sum, level) => sum + ids[level].length, 0),
  );
  const listsOf = async ({ query }) => {
    const found = [];
    for (const retriever of retrievers) found.push((await retriever.retrieve(query)).list);
    return Object.fromEntries(
      modalities.map((level, i) => [
        level,
        { ...found[i], rows: found[i].rows.map((row) => first[i] + row) },
      ]),
    );
  };
  const sample = [];
  for (const query of validation.queries) sample.push(await listsOf(query));
  const statistics = modalityStatistics(
    Object.fromEntries(modalities.map((level) => [level, sample.map((lists) => lists[level])])),
  );
  return async (query) => {
    const lists = await listsOf(query);
    const list = calibrated
      ? calibrateModalities(lists, statistics)
      : rankedList(
          Object.values(lists).flatMap(({ rows }) => [...rows]),
          Object.values(lists).flatMap(({ scores }) => [...scores]),
        );
    return { list, level: 'mixed', ids: Array.from(list.rows, (row) => pool[row]) };
  };
}

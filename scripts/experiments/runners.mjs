/** What no stage of a pipeline does. Each makes a retriever: a query to a list with its level and ids. */
import { calibrateModalities, modalityStatistics } from '../../dist/esm/composition/index.js';
import { interactiveSimilarityAggregation } from '../../dist/esm/granularity/index.js';
import { pipeline } from '../../dist/esm/pipeline/index.js';
import { rankedList } from '../../dist/esm/ranking/ranked-list.js';

export const RUNNERS = {
  /** An entity's score is made of the similarities of all its passages by interactive similarity aggregation. */
  'interactive-aggregation': async ({ sources, ids }, { temperature }) => {
    const rows = Uint32Array.from(ids.passage, (_, row) => row);
    const owners = await sources.groups.entity.passage(rows, {});
    const entities = [...new Set(owners)];
    return async ({ query }) => {
      const source = sources.dense.text;
      const found = await source.search(await source.encode(query, {}), { k: rows.length });
      const similarities = new Map(entities.map((entity) => [entity, []]));
      for (const [place, row] of found.rows.entries()) {
        similarities.get(owners[row]).push(found.scores[place]);
      }
      const scores = entities.map(
        (entity) => interactiveSimilarityAggregation(similarities.get(entity), { temperature }).score,
      );
      const list = rankedList([...entities.keys()], scores);
      return { list, level: 'entity', ids: Array.from(list.rows, (row) => entities[row]) };
    };
  },

  /** Passages and images in one list: by their scores as they are, or calibrated by the statistics of validation queries. */
  'merge-modalities': async ({ sources, ids, validation }, { pipelines, calibrated }) => {
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
  },
};

import { interactiveSimilarityAggregation } from '../../../dist/esm/granularity/index.js';
import { rankedList } from '../../../dist/esm/ranking/ranked-list.js';

/** An entity's score is made of the similarities of all its passages by interactive similarity aggregation. */
export async function interactiveAggregation({ sources, ids }, { temperature }) {
  const rows = Uint32Array.from(ids.passage, (_, row) => row);
  const owners = await sources.groups.entity.passage(rows, {});
  const entities = [...new Set(owners)];
  return async ({ query }) => {
    const source = sources.dense.text;
    const found = await source.search(await source.encode(query, {}), { k: rows.length });
    const similarities = new Map(entities.map((entity) => [entity, []]));
    for (const [place, row] of found.rows.entries()) similarities.get(owners[row]).push(found.scores[place]);
    const scores = entities.map(
      (entity) => interactiveSimilarityAggregation(similarities.get(entity), { temperature }).score,
    );
    const list = rankedList([...entities.keys()], scores);
    return { list, level: 'entity', ids: Array.from(list.rows, (row) => entities[row]) };
  };
}

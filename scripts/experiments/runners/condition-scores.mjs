import { conditionScores } from '../../../dist/esm/composition/index.js';

/** Entities by how their passages meet the conditions of a query, each by the passage that meets it best. */
export function conditionScoresOf({ passages, vectors, encoder, ids }, { aggregation }) {
  const placeOf = new Map(ids.entity.map((id, place) => [id, place]));
  const lengths = new Uint32Array(ids.entity.length);
  for (const { entityId } of passages) lengths[placeOf.get(entityId)]++;
  // Passages lie entity after entity, in the order of the entities.
  const items = { data: vectors.data, lengths, columns: vectors.columns };
  return async ({ query }) => {
    const conditions = await encoder.encodeQueries(query.conditions);
    const { list } = conditionScores(conditions.vectors, items, { aggregation });
    return { list, level: 'entity', ids: Array.from(list.rows, (row) => ids.entity[row]) };
  };
}

import { intersectionOfParts, unionOfParts } from '../../../dist/esm/composition/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';

const COMBINATIONS = { intersection: intersectionOfParts, union: unionOfParts };

/**
 * What several pipelines find for a query, or one for each of its `parts`, combined by what satisfies all of them (`intersection`) or
 * most on the whole (`union`).
 */
export function combineParts({ sources, ids }, { pipelines, combination }) {
  const retrievers = pipelines.map((stages) => pipeline(stages, { sources }));
  const { level } = retrievers[0];
  const rowOf = new Map(ids[level].map((id, row) => [id, row]));
  return async ({ query, parts = [query] }) => {
    const lists = [];
    for (const part of parts) {
      for (const retriever of retrievers) {
        const found = await retriever.retrieve(part);
        // A pipeline numbers groups as it meets them: rows of its own.
        lists.push({ ...found.list, rows: Uint32Array.from(found.ids, (id) => rowOf.get(id)) });
      }
    }
    const list = COMBINATIONS[combination](lists);
    return { list, level, ids: Array.from(list.rows, (row) => ids[level][row]) };
  };
}

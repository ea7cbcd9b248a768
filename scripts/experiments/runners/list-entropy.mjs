import { normalisedEntropy } from '../../../dist/esm/explanation/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';

/** How evenly the first places of a pipeline's list are spread over entities: 0 where all are of one, 1 where none is of another's. */
export function listEntropy({ sources }, { pipeline: stages, places }) {
  const retriever = pipeline(stages, { sources });
  return async ({ query }) => {
    const { list, level } = await retriever.retrieve(query, { k: places });
    const entities = await sources.groups.entity[level](list.rows, {});
    return { figures: { entropy: normalisedEntropy(entities, places) } };
  };
}

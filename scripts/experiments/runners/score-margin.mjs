import { scoreMargin } from '../../../dist/esm/feedback/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';

/** A pipeline's list, with how far its first place stands out as `margin` in the trace. */
export function listWithMargin({ sources }, { pipeline: stages, places }) {
  const retriever = pipeline(stages, { sources });
  return async ({ query }) => {
    const result = await retriever.retrieve(query);
    const traced = { stage: 'scoreMargin', details: { margin: scoreMargin(result.list, places) } };
    return { ...result, stages: [...result.stages, traced] };
  };
}

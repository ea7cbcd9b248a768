import type { Static } from '@sinclair/typebox';
import { optionsOf, SearchPlaces, SourceName } from '../option-schemas.js';
import { defineStage } from '../stage.js';
import { withList } from '../state.js';

const schema = optionsOf({ source: SourceName, k: SearchPlaces });

/** Options of {@link dense}. */
export type DenseOptions = Static<typeof schema>;

/**
 * Searches a dense source with the query's vector, as `feedback` may have moved it, and puts the list on the stack.
 *
 * @param options - `source`, a dense one; `k`, most places, 100 by default
 */
export function dense(options: DenseOptions = {}) {
  return { stage: 'dense', ...options } as const;
}

export const denseStage = defineStage({
  name: 'dense',
  schema,
  source: 'dense',
  follow: ({ levels, sourceLevel }) => [...levels, sourceLevel!],
  run: async (state, { source: name, k }, { sources, denseVector, filter, signal }) => {
    const source = sources.dense![name]!;
    const vector = state.vectors.dense.get(name) ?? (await denseVector(name));
    const list = await source.search(vector, { k, filter, signal });
    return withList(state, { list, level: source.level, source: name });
  },
});

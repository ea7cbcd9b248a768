import type { Static } from '@sinclair/typebox';
import { optionsOf, SearchPlaces, SourceName } from '../option-schemas.js';
import { defineStage } from '../stage.js';
import { withList } from '../state.js';

const schema = optionsOf({ source: SourceName, k: SearchPlaces });

/** Options of {@link sparse}. */
export type SparseOptions = Static<typeof schema>;

/**
 * Searches a sparse source, such as BM25, and puts the list on the stack.
 *
 * @param options - `source`, a sparse one; `k`, most places, 100 by default
 */
export function sparse(options: SparseOptions = {}) {
  return { stage: 'sparse', ...options } as const;
}

export const sparseStage = defineStage({
  name: 'sparse',
  schema,
  source: 'sparse',
  follow: ({ levels, sourceLevel }) => [...levels, sourceLevel!],
  run: async (state, { source: name, k }, { query, sources, filter, signal }) => {
    const source = sources.sparse![name]!;
    const list = await source.search(query, { k, filter, signal });
    return withList(state, { list, level: source.level, source: name });
  },
});

import type { Static } from '@sinclair/typebox';
import { optionsOf, SearchPlaces, SourceName } from '../option-schemas.js';
import { defineStage } from '../stage.js';
import { withList } from '../state.js';

const schema = optionsOf({ source: SourceName, k: SearchPlaces });

/** Options of {@link approximate}. */
export type ApproximateOptions = Static<typeof schema>;

/**
 * Searches an approximate source and puts the list on the stack. It may lack some of the best; the trace says so.
 *
 * @param options - `source`, an approximate one; `k`, most places, 100 by default
 */
export function approximate(options: ApproximateOptions = {}) {
  return { stage: 'approximate', ...options } as const;
}

export const approximateStage = defineStage({
  name: 'approximate',
  schema,
  source: 'approximate',
  follow: ({ levels, sourceLevel }) => [...levels, sourceLevel!],
  run: async (state, { source: name, k }, { query, sources, filter, signal }) => {
    const source = sources.approximate![name]!;
    const list = await source.search(query, { k, filter, signal });
    const details = { approximate: true };
    return { ...withList(state, { list, level: source.level, source: name }), details };
  },
});

import type { Static } from '@sinclair/typebox';
import { firstPlaces } from '../../ranking/ranked-list.js';
import { count, optionsOf } from '../option-schemas.js';
import { defineStage } from '../stage.js';

const schema = optionsOf({ k: count('Most places of each list.') });

/** Options of {@link cut}. */
export type CutOptions = Static<typeof schema>;

/**
 * Leaves the first places of every list on the stack.
 *
 * @param options - `k`, most places
 */
export function cut(options: CutOptions) {
  return { stage: 'cut', ...options } as const;
}

export const cutStage = defineStage({
  name: 'cut',
  schema,
  follow: ({ levels, refuse }) => {
    if (levels.length === 0) refuse('needs a list to work on; begin with a search, such as dense or sparse');
    return levels;
  },
  run: (state, { k }) => ({
    ...state,
    lists: state.lists.map((entry) => ({ ...entry, list: firstPlaces(entry.list, k) })),
  }),
});

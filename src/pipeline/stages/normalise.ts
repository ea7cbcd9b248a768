import type { Static } from '@sinclair/typebox';
import { normalise as normaliseList } from '../../fusion/normalisation/normalisations.js';
import { NormalisationObject } from '../normalisation-schemas.js';
import { defineStage } from '../stage.js';

/** Options of {@link normalise}. */
export type NormaliseOptions = Static<typeof NormalisationObject>;

/**
 * Brings the scores of every list on the stack to a scale, each by itself.
 *
 * @param options - `method`, one of `NORMALISATIONS`, beside its options
 */
export function normalise(options: NormaliseOptions) {
  return { stage: 'normalise', ...options } as const;
}

export const normaliseStage = defineStage({
  name: 'normalise',
  schema: NormalisationObject,
  follow: ({ levels, refuse }) => {
    if (levels.length === 0) refuse('needs a list to work on; begin with a search, such as dense or sparse');
    return levels;
  },
  run: (state, options) => ({
    ...state,
    lists: state.lists.map((entry) => ({ ...entry, list: normaliseList(entry.list, options) })),
  }),
});

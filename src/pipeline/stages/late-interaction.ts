import type { Static } from '@sinclair/typebox';
import type { VectorMatches } from '../../index/multi-vector-hits.js';
import { optionsOf, SearchPlaces, SourceName } from '../option-schemas.js';
import { defineStage } from '../stage.js';
import { type Evidence, withEvidence, withList } from '../state.js';

const schema = optionsOf({ source: SourceName, k: SearchPlaces });

/** Options of {@link lateInteraction}. */
export type LateInteractionOptions = Static<typeof schema>;

/**
 * Searches a source of several vectors per item by MaxSim, with the query's vectors as `feedback` may have changed them, and puts the
 * list on the stack. What matched is kept as evidence.
 *
 * Source: Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020).
 *
 * @param options - `source`, one of several vectors; `k`, most places, 100 by default
 */
export function lateInteraction(options: LateInteractionOptions = {}) {
  return { stage: 'lateInteraction', ...options } as const;
}

export const lateInteractionStage = defineStage({
  name: 'lateInteraction',
  schema,
  source: 'multiVector',
  follow: ({ levels, sourceLevel }) => [...levels, sourceLevel!],
  run: async (state, { source: name, k }, { sources, queryVectors, filter, signal }) => {
    const source = sources.multiVector![name]!;
    const { level } = source;
    const vectors = state.vectors.multiVector.get(name) ?? (await queryVectors(name));
    const { rows, scores, matches } = await source.search(vectors, { k, filter, signal });
    return {
      ...withList(state, { list: { rows, scores }, level, source: name }),
      evidence: withEvidence(state.evidence, level, matchesOfRows(rows, matches, name)),
    };
  },
});

/** Evidence of what matched, row by row. */
export function matchesOfRows(
  rows: Uint32Array,
  matches: readonly VectorMatches[],
  source: string,
): (readonly [number, Evidence])[] {
  return Array.from(rows, (row, place) => [row, { matches: { [source]: matches[place]! } }]);
}

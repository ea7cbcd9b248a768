import { type Static, Type } from '@sinclair/typebox';
import { jitterQuery, resultDispersion } from '../../composition/query-jitter.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { count, optionsOf, SourceName, withDefault } from '../option-schemas.js';
import { defineStage } from '../stage.js';

const schema = optionsOf({
  source: SourceName,
  count: withDefault(count('Perturbed queries.'), 8),
  scale: withDefault(Type.Number({ minimum: 0, description: 'Scale of the perturbation.' }), 1),
  seed: withDefault(Type.Integer({ description: 'Of the random numbers.' }), 0),
  k: withDefault(count('Places of each list that are compared.'), 10),
});

/** Options of {@link jitter}. */
export type JitterStageOptions = Static<typeof schema>;

/**
 * Says how uncertain the query is: searches a dense source with perturbed copies of its vector and writes into the trace how much the
 * lists disagree, `details.dispersion` from 0 to 1. The lists on the stack stay as they are.
 *
 * After "Composed Image Retrieval with Text Feedback via Multi-grained Uncertainty Regularization" (2024).
 *
 * @param options - `source`, a dense one; `count` 8, `scale` 1, `seed` 0, `k` 10
 */
export function jitter(options: JitterStageOptions = {}) {
  return { stage: 'jitter', ...options } as const;
}

export const jitterStage = defineStage({
  name: 'jitter',
  schema,
  source: 'dense',
  follow: ({ levels }) => levels,
  run: async (state, { source: name, k, ...perturbation }, { sources, denseVector, filter, signal }) => {
    const vector = state.vectors.dense.get(name) ?? (await denseVector(name));
    const { data, rows, columns } = jitterQuery(vector, perturbation);
    const lists: RankedList[] = [];
    for (let query = 0; query < rows; query++) {
      const perturbed = data.slice(query * columns, (query + 1) * columns);
      lists.push(await sources.dense![name]!.search(perturbed, { k, filter, signal }));
    }
    return { ...state, details: { dispersion: resultDispersion(lists, k) } };
  },
});

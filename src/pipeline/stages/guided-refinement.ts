import { type Static, Type } from '@sinclair/typebox';
import { guidedRefinement as refine } from '../../feedback/guided-refinement.js';
import { firstPlaces, type RankedList, rankedList, rowsOfAny } from '../../ranking/ranked-list.js';
import { type Matrix, matrix, type RaggedMatrix } from '../../vectors/matrix.js';
import {
  count,
  oneOf,
  optionsOf,
  SearchPlaces,
  type Settled,
  SourceName,
  temperature,
  withDefault,
} from '../option-schemas.js';
import { defineStage } from '../stage.js';
import type { RetrievalContext, RetrievalState, StageOutcome } from '../state.js';

const schema = optionsOf({
  source: SourceName,
  kind: withDefault(
    oneOf(['dense', 'multiVector'], 'Kind of the source: one vector per item, or several.'),
    'multiVector',
  ),
  pool: withDefault(count('The first rows of either list that are looked at.'), 10),
  weight: withDefault(
    Type.Number({ minimum: 0, maximum: 1, description: 'Share of the second list in the target.' }),
    0.5,
  ),
  temperature: withDefault(temperature('Of both softmaxes.'), 1),
  learningRate: withDefault(Type.Number({ exclusiveMinimum: 0, description: "Adam's rate." }), 1e-3),
  steps: withDefault(Type.Integer({ minimum: 0, maximum: 100_000, description: 'Steps of Adam.' }), 20),
  recompute: withDefault(oneOf(['once', 'each-step'], 'When the target is computed.'), 'once'),
  search: withDefault(
    Type.Boolean({ description: 'Searches with the refined query, rather than ranking the pool anew.' }),
    false,
  ),
  k: SearchPlaces,
});

/** Options of {@link guidedRefinement}. */
export type GuidedRefinementStageOptions = Static<typeof schema>;

type GuidedOptions = Settled<typeof schema>;

/**
 * Guided query refinement: moves the query's vectors in `source` until their scores agree better with the second of two lists, and puts
 * one list in place of both: the pool, ranked anew by the refined query, or what a search with it finds.
 *
 * The pool is the union of both lists' first rows. A row that the second list lacks has that list's least score; a row that has no
 * vectors in the source is left out. Later stages that use the source use the refined query.
 *
 * Source: "Guided Query Refinement: Multimodal Hybrid Retrieval with Test-Time Optimization" (2025).
 *
 * @param options - `source` of the `kind` `multiVector`, the default, or `dense`; `pool` 10, `weight` 0.5, `temperature` 1,
 * `learningRate` 1e-3, `steps` 20, `recompute` `once`; `search` false, and `k`, its most places, 100
 */
export function guidedRefinement(options: GuidedRefinementStageOptions = {}) {
  return { stage: 'guidedRefinement', ...options } as const;
}

export const guidedRefinementStage = defineStage({
  name: 'guidedRefinement',
  schema,
  source: ({ kind }) => kind,
  follow: ({ levels, sourceLevel, refuse }) => {
    if (levels.length !== 2) {
      refuse(
        `works on two lists, of the source and of another retriever, and there ${levels.length === 1 ? 'is 1' : `are ${levels.length}`}`,
      );
    }
    const stray = levels.find((level) => level !== sourceLevel);
    if (stray !== undefined) {
      refuse(`works on rows of level ${sourceLevel}, and those of a list are of level ${stray}`);
    }
    return [sourceLevel!];
  },
  run: async (state, options, context) => {
    const [primary, complementary] = state.lists.map(({ list }) => list) as [RankedList, RankedList];
    const pool = rowsOfAny([firstPlaces(primary, options.pool), firstPlaces(complementary, options.pool)]);
    const space =
      options.kind === 'dense' ? oneVector(state, options, context) : severalVectors(state, options, context);
    const { rows, documents } = withoutEmpty(pool, await space.vectorsOf(pool));
    const query = await space.query();
    if (rows.length === 0)
      return outcome(state, options, space.level, query, { rows, scores: new Float64Array() });
    const { weight, temperature, learningRate, steps, recompute } = options;
    const refined = await refine({
      query,
      documents,
      complementary: scoresIn(complementary, rows),
      weight,
      temperature,
      learningRate,
      steps,
      recompute,
      signal: context.signal,
    });
    const list = options.search ? await space.search(refined.query) : rankedList(rows, refined.scores);
    return outcome(state, options, space.level, refined.query, list, {
      losses: [refined.losses[0], refined.losses.at(-1)],
    });
  },
});

/** The primary retriever, whichever its kind. */
interface Space {
  readonly level: string;
  query(): Promise<Matrix>;
  vectorsOf(rows: Uint32Array): Promise<RaggedMatrix>;
  search(query: Matrix): Promise<RankedList>;
}

function oneVector(
  state: RetrievalState,
  { source: name, k }: GuidedOptions,
  { sources, denseVector, filter, signal }: RetrievalContext,
): Space {
  const source = sources.dense![name]!;
  return {
    level: source.level,
    async query() {
      const vector = state.vectors.dense.get(name) ?? (await denseVector(name));
      return matrix(vector, vector.length);
    },
    async vectorsOf(rows) {
      const { data, columns } = await source.vectorsOf(rows, { signal });
      return { data, columns, lengths: new Uint32Array(rows.length).fill(1) };
    },
    search: ({ data }) => source.search(data, { k, filter, signal }),
  };
}

function severalVectors(
  state: RetrievalState,
  { source: name, k }: GuidedOptions,
  { sources, queryVectors, filter, signal }: RetrievalContext,
): Space {
  const source = sources.multiVector![name]!;
  return {
    level: source.level,
    query: async () => state.vectors.multiVector.get(name) ?? queryVectors(name),
    vectorsOf: (rows) => source.vectorsOf(rows, { signal }),
    async search(query) {
      const { rows, scores } = await source.search(query, { k, filter, signal });
      return { rows, scores };
    },
  };
}

/** Empty documents take no room among the values, so only their lengths go. */
function withoutEmpty(
  rows: Uint32Array,
  documents: RaggedMatrix,
): { readonly rows: Uint32Array; readonly documents: RaggedMatrix } {
  const { lengths } = documents;
  return {
    rows: rows.filter((_, i) => lengths[i]! > 0),
    documents: { ...documents, lengths: lengths.filter((length) => length > 0) },
  };
}

function scoresIn(list: RankedList, rows: Uint32Array): Float64Array {
  const scores = new Map(Array.from(list.rows, (row, place) => [row, list.scores[place]!]));
  const least = list.scores.at(-1) ?? 0;
  return Float64Array.from(rows, (row) => scores.get(row) ?? least);
}

function outcome(
  state: RetrievalState,
  { source, kind }: GuidedOptions,
  level: string,
  query: Matrix,
  list: RankedList,
  details?: StageOutcome['details'],
): StageOutcome {
  const { dense, multiVector } = state.vectors;
  return {
    ...state,
    lists: [{ list, level, source }],
    vectors:
      kind === 'dense'
        ? { multiVector, dense: new Map(dense).set(source, query.data) }
        : { dense, multiVector: new Map(multiVector).set(source, query) },
    ...(details && { details }),
  };
}

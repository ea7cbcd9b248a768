import { type Static, Type } from '@sinclair/typebox';
import { centroidFeedback } from '../../feedback/centroid-feedback.js';
import { refineQuery } from '../../feedback/feedback-methods.js';
import { scoreMargin } from '../../feedback/score-margin.js';
import { matrix } from '../../vectors/matrix.js';
import { count, optionsOf, SearchPlaces, type Settled, SourceName, withDefault } from '../option-schemas.js';
import { defineStage, requireRowsOfSource } from '../stage.js';
import {
  onlyList,
  type RetrievalContext,
  type RetrievalState,
  type StageOutcome,
  withEvidence,
} from '../state.js';
import { matchesOfRows } from './late-interaction.js';

const common = {
  source: SourceName,
  minimumMargin: withDefault(
    Type.Number({
      minimum: 0,
      description: 'No feedback where the best stands out by less (`scoreMargin`).',
    }),
    0,
  ),
  k: SearchPlaces,
};

const documents = (customary: number) =>
  withDefault(count('Rows that are taken to be relevant, the first ones.'), customary);

const normalise = withDefault(Type.Boolean({ description: 'Divides by the norm.' }), false);

const schema = Type.Union([
  optionsOf({ method: Type.Literal('average'), m: documents(3), normalise, ...common }),
  optionsOf({
    method: Type.Literal('rocchio'),
    m: documents(5),
    alpha: withDefault(Type.Number({ description: 'Weight of the query.' }), 0.4),
    beta: withDefault(Type.Number({ description: "Weight of the rows' mean." }), 0.6),
    normalise,
    ...common,
  }),
  optionsOf({
    method: Type.Literal('centroid'),
    m: documents(3),
    clusters: withDefault(count('Groups that the vectors of the rows are divided into.'), 24),
    add: withDefault(Type.Integer({ minimum: 0, description: 'Most centroids that are added.' }), 10),
    beta: withDefault(Type.Number({ minimum: 0, description: 'Weight of all centroids.' }), 1),
    normalise,
    ...common,
  }),
]);

/** Options of {@link feedback}. */
export type FeedbackOptions = Static<typeof schema>;

type Centroid = Extract<Settled<typeof schema>, { method: 'centroid' }>;
type OneVector = Exclude<Settled<typeof schema>, { method: 'centroid' }>;

/**
 * Pseudo-relevance feedback: takes the first rows of the one list to be relevant, moves the query's vector in `source` towards them,
 * searches the source with it and puts what that finds in place of the list. Later stages that use the source use the moved query.
 *
 * The list may be that of another source or a fused one, over the same rows. Where the margin is too small, or nothing was found
 * so far, the search is made with the query as it was.
 *
 * Sources: Li et al., "Pseudo Relevance Feedback with Deep Language Models and Dense Retrievers: Successes and Pitfalls" (2021); Wang et
 * al., "Pseudo-Relevance Feedback for Multiple Representation Dense Retrieval" (2021) for centroids.
 *
 * @param options - `method`: `average`, `rocchio` (`alpha` 0.4, `beta` 0.6), both for a dense source, or `centroid` (`clusters` 24, `add`
 * 10, `beta` 1) for one of several vectors; `m`, rows taken to be relevant, 3, 5 and 3; `normalise`, false; `minimumMargin`, 0; `k`,
 * most places, 100
 */
export function feedback(options: FeedbackOptions) {
  return { stage: 'feedback', ...options } as const;
}

export const feedbackStage = defineStage({
  name: 'feedback',
  schema,
  source: ({ method }) => (method === 'centroid' ? 'multiVector' : 'dense'),
  follow: requireRowsOfSource,
  run: (state, options, context) => {
    const { list } = onlyList(state);
    const skip = list.rows.length === 0 || scoreMargin(list, options.m) < options.minimumMargin;
    const rows = skip ? new Uint32Array() : list.rows.slice(0, options.m);
    return options.method === 'centroid'
      ? severalVectors(state, options, rows, context)
      : oneVector(state, options, rows, context);
  },
});

async function oneVector(
  state: RetrievalState,
  options: OneVector,
  rows: Uint32Array,
  { sources, denseVector, filter, signal }: RetrievalContext,
): Promise<StageOutcome> {
  const { source: name, k, m: _, minimumMargin: __, ...method } = options;
  const source = sources.dense![name]!;
  const before = state.vectors.dense.get(name) ?? (await denseVector(name));
  const moved =
    rows.length === 0 ? before : refineQuery(before, await source.vectorsOf(rows, { signal }), method);
  const list = await source.search(moved, { k, filter, signal });
  return {
    ...state,
    lists: [{ list, level: source.level, source: name }],
    vectors: { ...state.vectors, dense: new Map(state.vectors.dense).set(name, moved) },
    details: { feedback: [...rows] },
  };
}

async function severalVectors(
  state: RetrievalState,
  options: Centroid,
  rows: Uint32Array,
  { sources, queryVectors, filter, signal }: RetrievalContext,
): Promise<StageOutcome> {
  const { source: name, k, clusters, add, beta, normalise } = options;
  const source = sources.multiVector![name]!;
  let query = state.vectors.multiVector.get(name) ?? (await queryVectors(name));
  if (rows.length > 0) {
    const { data, columns } = await source.vectorsOf(rows, { signal });
    const taken = matrix(data, columns);
    ({ query } = await centroidFeedback(query, taken, { clusters, add, beta, normalise, signal }));
  }
  const found = await source.search(query, { k, filter, signal });
  const { level } = source;
  return {
    ...state,
    lists: [{ list: { rows: found.rows, scores: found.scores }, level, source: name }],
    vectors: { ...state.vectors, multiVector: new Map(state.vectors.multiVector).set(name, query) },
    evidence: withEvidence(state.evidence, level, matchesOfRows(found.rows, found.matches, name)),
    details: { feedback: [...rows] },
  };
}

import { type Static, Type } from '@sinclair/typebox';
import type { MultiVectorScoreName } from '../../granularity/scores/multi-vector-scores.js';
import { scoreDocuments } from '../../granularity/scores/score-documents.js';
import { firstPlaces, rankedList } from '../../ranking/ranked-list.js';
import type { Matrix } from '../../vectors/matrix.js';
import {
  count,
  oneOf,
  optionsOf,
  type Settled,
  SourceName,
  temperature,
  withDefault,
} from '../option-schemas.js';
import type { MatchedList, MultiVectorSource } from '../sources.js';
import { defineStage, requireRowsOfSource } from '../stage.js';
import { onlyList, withEvidence } from '../state.js';
import { matchesOfRows } from './late-interaction.js';

const common = {
  source: SourceName,
  candidates: withDefault(count('So many of the first rows are scored; the others are left out.'), 100),
};

const smoothness = temperature('Towards 0 only the best match counts.');

const schema = Type.Union([
  optionsOf({ score: withDefault(Type.Literal('maxsim'), 'maxsim'), ...common }),
  optionsOf({ score: Type.Literal('mean-maxsim'), ...common }),
  optionsOf({
    score: Type.Literal('smooth-maxsim'),
    temperature: withDefault(smoothness, 0.1),
    ...common,
  }),
  optionsOf({
    score: Type.Literal('top-mean'),
    most: withDefault(count('So many of the greatest similarities of a query vector are averaged.'), 3),
    ...common,
  }),
  optionsOf({
    score: Type.Literal('filip'),
    direction: withDefault(
      oneOf(['query-to-document', 'document-to-query', 'both'], 'Both is the mean of the two.'),
      'both',
    ),
    ...common,
  }),
  optionsOf({ score: Type.Literal('pacl'), temperature: withDefault(smoothness, 1), ...common }),
  optionsOf({ score: Type.Literal('sparc'), ...common }),
  optionsOf({ score: Type.Literal('flair'), temperature: withDefault(smoothness, 0.1), ...common }),
  optionsOf({ score: Type.Literal('bi-isa'), temperature: withDefault(smoothness, 0.01), ...common }),
]);

/** Options of {@link maxsim}. */
export type MaxSimOptions = Static<typeof schema>;

/**
 * Scores the first rows of the one list anew by late interaction, with the vectors of a source of several per item. What matched is kept
 * as evidence. Rows after the candidates are left out, for their scores would not be comparable, and so are rows without vectors.
 *
 * All are computed on threads of the engine. `maxsim` is rounded to float32, as `MultiVectorIndex` does.
 *
 * Sources: Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020); those of
 * the other scores stand at `MULTI_VECTOR_SCORES`.
 *
 * @param options - `source`, one of several vectors; `candidates`, 100 by default; `score`, one of `MULTI_VECTOR_SCORES`, `maxsim` by
 * default, beside its options
 */
export function maxsim(options: MaxSimOptions = {}) {
  return { stage: 'maxsim', ...options } as const;
}

export const maxsimStage = defineStage({
  name: 'maxsim',
  schema,
  source: 'multiVector',
  follow: requireRowsOfSource,
  run: async (state, { source: name, candidates, ...how }, { sources, queryVectors, signal }) => {
    const { list, level } = onlyList(state);
    const { rows } = firstPlaces(list, candidates);
    if (rows.length === 0) return state;
    const source = sources.multiVector![name]!;
    const query = state.vectors.multiVector.get(name) ?? (await queryVectors(name));
    const found =
      how.score === 'maxsim'
        ? await source.search(query, { k: rows.length, candidates: rows, signal })
        : await scored(source, query, rows, how, signal);
    // Rows without vectors come last, with -Infinity, which no later stage could normalise or fuse.
    const end = found.scores.indexOf(Number.NEGATIVE_INFINITY);
    const { rows: left, scores } =
      end === -1 ? found : { rows: found.rows.slice(0, end), scores: found.scores.slice(0, end) };
    return {
      ...state,
      lists: [{ list: { rows: left, scores }, level, source: name }],
      evidence: withEvidence(state.evidence, level, matchesOfRows(left, found.matches, name)),
    };
  },
});

async function scored(
  source: MultiVectorSource,
  query: Matrix,
  rows: Uint32Array,
  { score, ...options }: Omit<Settled<typeof schema>, 'source' | 'candidates'>,
  signal: AbortSignal | undefined,
): Promise<MatchedList> {
  const documents = await source.vectorsOf(rows, { signal });
  const scored = await scoreDocuments(query, documents, score as MultiVectorScoreName, {
    ...options,
    signal,
  });
  const byRow = new Map(Array.from(rows, (row, i) => [row, scored.matches(i)!]));
  const list = rankedList(rows, scored.scores);
  return { ...list, matches: Array.from(list.rows, (row) => byRow.get(row)!) };
}

import { type Static, Type } from '@sinclair/typebox';
import { type DiversifyOptions, diversify as diversifyList } from '../../explanation/diversify.js';
import { firstPlaces } from '../../ranking/ranked-list.js';
import type { Matrix } from '../../vectors/matrix.js';
import { count, optionsOf, type Settled, SourceName, withDefault } from '../option-schemas.js';
import type { DenseSource } from '../sources.js';
import { defineStage, levelOfOnlyList } from '../stage.js';
import { onlyList, type RetrievalContext, type StageList } from '../state.js';

const common = {
  candidates: withDefault(count('So many of the first rows are ordered anew; the others are left out.'), 100),
  relevance: withDefault(
    Type.Number({ minimum: 0, maximum: 1, description: 'Lambda, the share of relevance against novelty.' }),
    0.7,
  ),
  k: Type.Optional(count('Most places of the result; all by default.')),
};

const schema = Type.Union([
  optionsOf({ likeness: withDefault(Type.Literal('vectors'), 'vectors'), source: SourceName, ...common }),
  optionsOf({
    likeness: Type.Literal('groups'),
    by: Type.String({ description: "A level of the sources' groups: rows of one group are alike." }),
    ...common,
  }),
]);

/** Options of {@link diversify}. */
export type DiversifyStageOptions = Static<typeof schema>;

type Vectors = Extract<Settled<typeof schema>, { likeness: 'vectors' }>;

/**
 * Orders the first rows of the one list anew by maximal marginal relevance: what is like a row that comes before it sinks. Rows are as
 * alike as their vectors in a dense source, groups as those of their best rows; or rows of one group are alike, and others are not.
 * Computed on the thread of JavaScript, O(k candidates d).
 *
 * Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries" (1998).
 *
 * @param options - `likeness`: `vectors`, the default, with `source`, a dense one; or `groups`, with `by`, their level. `candidates`
 * 100, `relevance` 0.7; `k`, most places, all by default
 */
export function diversify(options: DiversifyStageOptions = {}) {
  return { stage: 'diversify', ...options } as const;
}

export const diversifyStage = defineStage({
  name: 'diversify',
  schema,
  source: ({ likeness }) => (likeness === 'vectors' ? 'dense' : undefined),
  follow: (place, options) => {
    const level = levelOfOnlyList(place);
    const { sources, sourceLevel, refuse } = place;
    const groups = sources.groups ?? {};
    if (options.likeness === 'groups') {
      if (!Object.hasOwn(groups, options.by)) {
        const known = Object.keys(groups).join(', ');
        refuse(
          `must be a level of groups, ${known === '' ? 'and there are none' : `one of ${known}`}, got '${options.by}'`,
          'by',
        );
      }
      if (!Object.hasOwn(groups[options.by]!, level)) {
        refuse(
          `groups rows of level ${Object.keys(groups[options.by]!).join(', ')}, and those of the list are of level ${level}`,
        );
      }
    } else if (level !== sourceLevel && !Object.hasOwn(groups[level] ?? {}, sourceLevel!)) {
      refuse(`has vectors for rows of level ${sourceLevel}, and those of the list are of level ${level}`);
    }
    return [level];
  },
  run: async (state, options, context) => {
    const entry = onlyList(state);
    const list = firstPlaces(entry.list, options.candidates);
    if (list.rows.length === 0) return state;
    const { relevance, k } = options;
    const likeness: DiversifyOptions =
      options.likeness === 'groups'
        ? { labels: await groupsOf({ ...entry, list }, options.by, context) }
        : { vectors: await vectorsOf({ ...entry, list }, options, bestRows, context) };
    return { ...state, lists: [{ ...entry, list: diversifyList(list, { ...likeness, relevance, k }) }] };

    /** The rows of the source that groups stand for; undefined for one that has none there. */
    function bestRows(level: string): (number | undefined)[] {
      const evidence = state.evidence.get(entry.level);
      return Array.from(list.rows, (group) => evidence?.get(group)?.best?.[level]?.row);
    }
  },
});

/** Rows of no group are like no other. */
async function groupsOf(
  { list, level }: StageList,
  by: string,
  { sources, signal }: RetrievalContext,
): Promise<(string | number)[]> {
  const groups = await sources.groups![by]![level]!(list.rows, { signal });
  return groups.map((group, place) => group ?? place);
}

/** What has no vector gets zeros, which are like no other. */
async function vectorsOf(
  { list, level }: StageList,
  { source: name }: Vectors,
  bestRows: (level: string) => (number | undefined)[],
  { sources, signal }: RetrievalContext,
): Promise<Matrix> {
  const source: DenseSource = sources.dense![name]!;
  if (level === source.level) return source.vectorsOf(list.rows, { signal });
  const rows = bestRows(source.level);
  const known = await source.vectorsOf(Uint32Array.from(rows.filter((row) => row !== undefined)), { signal });
  const data = new Float32Array(rows.length * known.columns);
  let next = 0;
  for (const [place, row] of rows.entries()) {
    if (row === undefined) continue;
    const vector = known.data.subarray(next * known.columns, (next + 1) * known.columns);
    data.set(vector, place * known.columns);
    next += 1;
  }
  return { data, rows: rows.length, columns: known.columns };
}

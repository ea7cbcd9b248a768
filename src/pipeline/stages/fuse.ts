import { type Static, Type } from '@sinclair/typebox';
import { fuse as fuseLists } from '../../fusion/fuse.js';
import { SCORE_BASED_FUSION_PRESETS } from '../../fusion/score-based-fusion.js';
import { Normalisations } from '../normalisation-schemas.js';
import { listOf, oneOf, optionsOf, WeightsOfLists, withDefault } from '../option-schemas.js';
import { defineStage } from '../stage.js';

const PRESETS = Object.keys(SCORE_BASED_FUSION_PRESETS) as (keyof typeof SCORE_BASED_FUSION_PRESETS)[];

const Missing = oneOf(['zero', 'minimum'], 'What a row counts in a list that lacks it.');

const weighted = { weights: Type.Optional(WeightsOfLists) };

const scaled = {
  normalisation: withDefault(Normalisations, 'min-max'),
  missing: withDefault(Missing, 'zero'),
};

const schema = Type.Union([
  optionsOf({
    method: Type.Literal('rrf'),
    k: withDefault(Type.Number({ minimum: 0, description: 'Added to every rank.' }), 60),
    ...weighted,
  }),
  optionsOf({ method: Type.Literal('comb-sum'), ...weighted, ...scaled }),
  optionsOf({ method: Type.Literal('comb-mnz'), ...weighted, ...scaled }),
  optionsOf({
    method: Type.Literal('weighted-sum'),
    weights: listOf(Type.Number(), 'One per list, taken as they are.'),
    ...scaled,
  }),
  optionsOf({ method: Type.Literal('average-rank'), ...weighted }),
  optionsOf({ method: Type.Literal('borda'), ...weighted }),
  optionsOf({
    method: Type.Literal('score-based'),
    weights: Type.Union([
      oneOf(PRESETS, 'Published weights.'),
      listOf(Type.Number(), 'One per list, taken as they are.'),
    ]),
    statistics: listOf(
      optionsOf({ mean: Type.Number(), deviation: Type.Number({ minimum: 0 }) }),
      'One per list, from `scoreBasedFusionStatistics`.',
    ),
  }),
  optionsOf({
    method: Type.Literal('dempster-shafer'),
    alpha: withDefault(Type.Number({ minimum: 0, maximum: 1 }), 0.7),
    beta: withDefault(Type.Number({ minimum: 0, maximum: 1 }), 0.9),
    flatLists: withDefault(oneOf(['believe', 'ignore'], 'What a flat list says.'), 'believe'),
    fullBelief: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "The list's greatest score by default." }),
    ),
    missing: withDefault(
      oneOf(['minimum', 'nothing'], 'What a list says about a row that it lacks.'),
      'minimum',
    ),
  }),
]);

/** Options of {@link fuse}. */
export type FuseOptions = Static<typeof schema>;

/**
 * Replaces all lists on the stack by one.
 *
 * @param options - `method`, one of `FUSION_METHODS`, beside its options; weights, normalisations and statistics are one per list, in
 * the order in which the lists were put on the stack
 */
export function fuse(options: FuseOptions) {
  return { stage: 'fuse', ...options } as const;
}

export const fuseStage = defineStage({
  name: 'fuse',
  schema,
  follow: ({ levels, refuse }, options) => {
    if (levels.length < 2)
      refuse(`needs at least two lists, and there ${levels.length === 1 ? 'is 1' : 'are none'}`);
    const level = levels[0]!;
    if (levels.some((other) => other !== level)) {
      refuse(
        `cannot fuse rows of different levels (${levels.join(', ')}); aggregate them to one level first`,
      );
    }
    for (const [name, values] of Object.entries(options)) {
      const length = typeof values === 'string' ? lengthOfPreset(name, values) : lengthOf(values);
      if (length !== undefined && length !== levels.length) {
        refuse(`must have one entry per list: there are ${levels.length} lists, and it has ${length}`, name);
      }
    }
    return [level];
  },
  run: (state, options) => {
    const lists = state.lists.map(({ list }) => list);
    return { ...state, lists: [{ list: fuseLists(lists, options), level: state.lists[0]!.level }] };
  },
});

function lengthOf(values: unknown): number | undefined {
  return Array.isArray(values) ? values.length : undefined;
}

function lengthOfPreset(name: string, value: string): number | undefined {
  if (name !== 'weights') return undefined;
  return SCORE_BASED_FUSION_PRESETS[value as keyof typeof SCORE_BASED_FUSION_PRESETS].length;
}

import { GranuleError } from '../../errors.js';
import { CANDIDATE_FEATURES } from '../../generators/extractive/candidate-features.js';
import { NULL_FEATURES } from '../../generators/extractive/read-passage.js';
import { checkKeys, show } from '../../index/arguments.js';
import type { TowerShape } from '../towers/tower-shape.js';

/** What a {@link SpanScorer} computes from the features f of a candidate and g of the null answer. */
export type SpanScorerShape =
  /** s_c = w . f, s_null = u . g. */
  | { readonly kind: 'linear' }
  /** s_c = w . f + v . max(0, W f + b) + d, s_null = u . g, with `hidden` hidden units, 1 to 65,536. */
  | { readonly kind: 'mlp'; readonly hidden: number };

/** The towers that a shape is made of, by name. */
export type SpanScorerTowers = Readonly<Partial<Record<'candidate' | 'none' | 'hidden', TowerShape>>>;

/** @throws GranuleError `INVALID_ARGUMENT` */
export function spanScorerTowers(shape: SpanScorerShape): SpanScorerTowers {
  const linear = (input: number): TowerShape => ({
    kind: 'linear',
    input,
    output: 1,
    bias: false,
    normalise: false,
  });
  const towers = { candidate: linear(CANDIDATE_FEATURES.length), none: linear(NULL_FEATURES.length) };
  switch (shape?.kind) {
    case 'linear':
      checkKeys(shape, ['kind']);
      return towers;
    case 'mlp':
      checkKeys(shape, ['kind', 'hidden']);
      return {
        ...towers,
        hidden: {
          kind: 'mlp',
          input: CANDIDATE_FEATURES.length,
          hidden: shape.hidden,
          output: 1,
          normalise: false,
        },
      };
    default:
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `a span scorer's kind must be 'linear' or 'mlp', got ${show((shape as SpanScorerShape | undefined)?.kind)}`,
      );
  }
}

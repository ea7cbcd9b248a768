import { GranuleError } from '../../errors.js';
import { withDefaults } from '../../evaluation/option-checks.js';
import { bernoulliDivergence, bernoulliLogProbability } from './bernoulli.js';
import { type GrpoOptions, grpoLoss, grpoOptions } from './grpo.js';
import { type LogProbability, plackettLuceLogProbability } from './plackett-luce.js';
import { type Divergence, plackettLuceDivergence } from './plackett-luce-divergence.js';
import type { FilterGroup, RankingGroup, Rollout } from './rollouts/rollout.js';
import { checkReference } from './scaled-scores.js';

/** Options of {@link rankingGroupLoss} and {@link filterGroupLoss}. */
export interface GroupLossOptions extends GrpoOptions {
  /** The reference policy's scores, one per candidate: by default those that the rollouts were drawn with. */
  readonly reference?: ArrayLike<number>;
  /**
   * How KL(policy || reference) and its gradient are computed: `k3`, from the group's rollouts, as published (default); or `exact`, which
   * `bernoulliDivergence` always can, and `plackettLuceDivergence` for 16 candidates or one place.
   */
  readonly divergence?: 'k3' | 'exact';
}

/** A group's loss and its slope. */
export interface GroupLoss {
  readonly loss: number;
  /** dL / ds of each candidate's present score. */
  readonly gradient: Float64Array;
  /** KL(policy || reference), estimated or exact; 0 where beta is 0. */
  readonly divergence: number;
  /** Share of the rollouts whose ratio was clipped. */
  readonly clipped: number;
}

/**
 * `grpoLoss` of rankings with its gradient carried to the scores: dL/ds = sum_i dL/d(ln p_i) d(ln p_i)/ds. O(G n).
 *
 * @param group - rollouts of the Plackett-Luce policy that the question's own scores gave
 * @param scores - the policy's present scores, one per candidate; the group's temperature holds for them and the reference
 * @throws GranuleError as `grpoLoss` and `plackettLuceLogProbability`; with `exact` also as `plackettLuceDivergence`
 */
export function rankingGroupLoss(
  group: RankingGroup,
  scores: ArrayLike<number>,
  options: GroupLossOptions = {},
): GroupLoss {
  const { temperature } = group;
  const places = Math.max(...group.rollouts.map(({ ranking }) => ranking.length));
  return groupLoss(group, scores, options, {
    logProbability: (values, { ranking }) => plackettLuceLogProbability(values, ranking, { temperature }),
    divergence: (reference) => plackettLuceDivergence(scores, reference, { temperature, places }),
  });
}

/**
 * `grpoLoss` of decisions to keep candidates, with its gradient carried to the scores as in `rankingGroupLoss`. O(G n).
 *
 * @param group - rollouts of the Bernoulli policy that the question's own scores gave
 * @param scores - the policy's present scores, one per candidate; the group's temperature holds for them and the reference
 * @throws GranuleError as `grpoLoss` and `bernoulliLogProbability`
 */
export function filterGroupLoss(
  group: FilterGroup,
  scores: ArrayLike<number>,
  options: GroupLossOptions = {},
): GroupLoss {
  const { temperature } = group;
  return groupLoss(group, scores, options, {
    logProbability: (values, { kept }) => bernoulliLogProbability(values, kept, { temperature }),
    divergence: (reference) => bernoulliDivergence(scores, reference, { temperature }),
  });
}

interface Policy<Action> {
  readonly logProbability: (scores: ArrayLike<number>, action: Action) => LogProbability;
  /** From the reference, at the present scores. */
  readonly divergence: (reference: ArrayLike<number>) => Divergence;
}

function groupLoss<Action extends Rollout>(
  group: { readonly question: { readonly scores: readonly number[] }; readonly rollouts: readonly Action[] },
  scores: ArrayLike<number>,
  options: GroupLossOptions,
  policy: Policy<Action>,
): GroupLoss {
  const { reference, divergence, ...given } = withDefaults<Required<GroupLossOptions>>(
    options,
    { reference: group.question.scores, divergence: 'k3', ...grpoOptions({}) },
    'the loss of a group',
  );
  const { clip, beta } = grpoOptions(given);
  if (divergence !== 'k3' && divergence !== 'exact') {
    throw new GranuleError('INVALID_ARGUMENT', `divergence must be k3 or exact, got ${divergence}`);
  }
  checkReference(scores, group.question.scores);
  checkReference(scores, reference);
  const estimates = divergence === 'k3' && beta > 0;
  const { rollouts } = group;
  const present = rollouts.map((rollout) => policy.logProbability(scores, rollout));
  const { gradient: slopes, ...loss } = grpoLoss(
    {
      logProbabilities: present.map(({ logProbability }) => logProbability),
      oldLogProbabilities: rollouts.map(({ logProbability }) => logProbability),
      advantages: rollouts.map(({ advantage }) => advantage),
      ...(estimates && {
        referenceLogProbabilities: rollouts.map(
          (rollout) => policy.logProbability(reference, rollout).logProbability,
        ),
      }),
    },
    { clip, beta: estimates ? beta : 0 },
  );
  const gradient = new Float64Array(scores.length);
  for (const [i, { gradient: slope }] of present.entries()) {
    for (let j = 0; j < gradient.length; j++) gradient[j]! += slopes[i]! * slope[j]!;
  }
  if (estimates || beta === 0) return { ...loss, gradient };
  const exact = policy.divergence(reference);
  for (let j = 0; j < gradient.length; j++) gradient[j]! += beta * exact.gradient[j]!;
  return { ...loss, loss: loss.loss + beta * exact.divergence, divergence: exact.divergence, gradient };
}

import { GranuleError } from '../../errors.js';
import { checkShare, withDefaults } from '../../evaluation/option-checks.js';
import { canonicalExp } from './canonical-exp.js';
import { k3 } from './k3.js';

/** Options of {@link grpoLoss}. */
export interface GrpoOptions {
  /** e: the ratio counts up to 1 + e where the advantage is positive, down to 1 - e where it is negative; between 0 and 1, default 0.2. */
  readonly clip?: number;
  /** b, the weight of the divergence from the reference, at least 0; default 0.04, as published. */
  readonly beta?: number;
}

/** What is known of a group's rollouts, one number for each. */
export interface GrpoGroup {
  /** ln p under the present policy. */
  readonly logProbabilities: ArrayLike<number>;
  /** ln p under the policy that the rollouts were drawn from. */
  readonly oldLogProbabilities: ArrayLike<number>;
  /** ln p under the reference policy; not needed where beta is 0. */
  readonly referenceLogProbabilities?: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
}

/** A group's loss and its slope. */
export interface GrpoLoss {
  readonly loss: number;
  /** dL / d ln p of each rollout. */
  readonly gradient: Float64Array;
  /** Mean over rollouts of the estimate of KL(policy || reference); 0 where beta is 0. */
  readonly divergence: number;
  /** Share of the rollouts whose ratio was clipped, and which pull only by the divergence. */
  readonly clipped: number;
}

/**
 * The loss of group relative policy optimisation over one group of G rollouts, each one action:
 *
 *     L = -1/G sum_i [ min( w_i A_i, clip(w_i, 1 - e, 1 + e) A_i ) - b ( exp(d_i) - d_i - 1 ) ]
 *
 * with the ratio w_i = exp(ln p_i - ln p_old,i) and d_i = ln p_ref,i - ln p_i (the estimator k3 of the divergence). The gradient with
 * respect to ln p_i is -1/G [ w_i A_i, or 0 where clipped, - b (1 - exp(d_i)) ]. It serves for several epochs over the same rollouts: only ln p changes. O(G).
 *
 * A rollout is one action here, a whole ranking or a whole set of decisions; a language model's rollout is one action per token.
 * The gradient of k3 is that of the estimate: over rollouts of the present policy its mean is the gradient of KL(reference || policy).
 *
 * Sources: "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models" (2024); the clipped ratio, "Proximal
 * Policy Optimization Algorithms" (2017).
 *
 * @throws GranuleError `LENGTH_MISMATCH`; `INVALID_ARGUMENT` for an empty group, options out of range, or a beta above 0 without a
 *   reference; `NOT_FINITE` for NaN, and where policies have come so far apart that a ratio is no finite number
 */
export function grpoLoss(group: GrpoGroup, options: GrpoOptions = {}): GrpoLoss {
  const { clip, beta } = grpoOptions(options);
  const { logProbabilities, oldLogProbabilities, referenceLogProbabilities, advantages } = group;
  const size = logProbabilities.length;
  if (size === 0) throw new GranuleError('INVALID_ARGUMENT', 'a group needs at least one rollout');
  if (beta > 0 && referenceLogProbabilities === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', 'a beta above 0 needs log-probabilities of a reference');
  }
  for (const [name, values] of Object.entries({ oldLogProbabilities, advantages, logProbabilities })) {
    checkValues(values, size, name);
  }
  if (beta > 0) checkValues(referenceLogProbabilities!, size, 'referenceLogProbabilities');
  const gradient = new Float64Array(size);
  let [loss, divergence, clipped] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    const advantage = advantages[i]!;
    const ratio = canonicalExp(logProbabilities[i]! - oldLogProbabilities[i]!);
    if (!Number.isFinite(ratio * advantage)) {
      throw new GranuleError(
        'NOT_FINITE',
        `the policy gives rollout ${i} exp(${logProbabilities[i]! - oldLogProbabilities[i]!}) times its old probability`,
        { rollout: i },
      );
    }
    if (advantage > 0 ? ratio > 1 + clip : advantage < 0 && ratio < 1 - clip) {
      loss -= (advantage > 0 ? 1 + clip : 1 - clip) * advantage;
      clipped += 1;
    } else {
      loss -= ratio * advantage;
      gradient[i]! -= (ratio * advantage) / size;
    }
    if (beta === 0) continue;
    const { value, slope } = k3(referenceLogProbabilities![i]! - logProbabilities[i]!);
    loss += beta * value;
    divergence += value / size;
    gradient[i]! -= (beta * slope) / size;
  }
  return { loss: loss / size, gradient, divergence, clipped: clipped / size };
}

/**
 * Fills in defaults.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function grpoOptions(options: GrpoOptions): Required<GrpoOptions> {
  const filled = withDefaults<Required<GrpoOptions>>(options, { clip: 0.2, beta: 0.04 }, 'grpo');
  checkShare(filled.clip, 'clip');
  if (!(filled.beta >= 0 && Number.isFinite(filled.beta))) {
    throw new GranuleError('INVALID_ARGUMENT', `beta must be a number of at least 0, got ${filled.beta}`);
  }
  return filled;
}

function checkValues(values: ArrayLike<number>, size: number, name: string): void {
  if (values.length !== size) {
    throw new GranuleError('LENGTH_MISMATCH', `${size} rollouts have ${values.length} ${name}`, {
      rollouts: size,
      values: values.length,
    });
  }
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(values[i]!)) {
      throw new GranuleError('NOT_FINITE', `${name}[${i}] is ${values[i]}`, { rollout: i });
    }
  }
}

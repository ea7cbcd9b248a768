import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature, show } from '../../index/arguments.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import { softmaxWithLogs, temperatureGradient } from './log-softmax.js';
import { checkChoice, checkFloats, checkLength, type Floats } from './loss-arguments.js';

/** Options of {@link jointPathLoss}. */
export interface JointPathLossOptions {
  /** `marginal`, the default, is what MiRAG's released code trains by; `paths` is what its paper writes. */
  readonly form?: 'marginal' | 'paths' | undefined;
  /** Of the softmax over entities; 1 by default, as published: with unit vectors nearly uniform. */
  readonly entityTemperature?: number | undefined;
  /** Of the softmax over passages; 1 by default, as published: with unit vectors nearly uniform. */
  readonly passageTemperature?: number | undefined;
}

/** What {@link jointPathLoss} gives. */
export interface JointPathLoss {
  readonly loss: number;
  /** dL/d(entity scores), K numbers. */
  readonly entityGradient: Float64Array;
  /** dL/d(passage scores), one number per path. */
  readonly passageGradient: Float64Array;
  /** dL/d(reader log-likelihoods), one number per path. */
  readonly readerGradient: Float64Array;
  /** dL/dt_e. For a learned ln t_e it is t_e times this. */
  readonly entityTemperatureGradient: number;
  /** dL/dt_z. */
  readonly passageTemperatureGradient: number;
}

/**
 * Joint training of an entity retriever, a passage retriever and a reader. A path goes from an entity e over a passage z, found with
 * the question expanded by e, to the answer a; K entities, P paths (K M where each entity has M passages):
 *
 *     j = ln p(e | q) + ln p(z | q, e) + ln p(a | q, z)     p(e) = softmax over the K entities, p(z) over all P passages
 *
 *     marginal   L = -ln sum over paths of exp(j)    with w = softmax(j):
 *                dL/d(entity)_e = (p_e - sum of w over e's paths) / t_e
 *                dL/d(passage)_i = (p_i - w_i) / t_z          dL/d(reader)_i = -w_i
 *     paths      L = -sum over paths of j            with c_e the number of e's paths:
 *                dL/d(entity)_e = (P p_e - c_e) / t_e
 *                dL/d(passage)_i = (P p_i - 1) / t_z          dL/d(reader)_i = -1
 *
 * They are not two ways to write one loss. The gradients of `paths` do not ask what the reader says: it is least where both retrievers
 * are uniform over what they found, whichever path leads to the answer, and reads every passage as if it held the answer. `marginal`
 * draws them to the paths that explain the answer; the released code adds the reader's plain cross entropy to it.
 *
 * The released code takes the softmax of the K entity scores repeated M times, so its p(e) is smaller by 1 / M: the marginal is greater by
 * ln M, `paths` by P ln M, and all gradients are the same. It also scores passages with the question as asked, although the
 * expanded one found them; what is passed as `passageScores` decides that here, and dL/d(passage) then belongs to that query vector.
 *
 * O(P). Source: the paper of MiRAG, equation 6, and its released code.
 *
 * @param entityScores - K numbers
 * @param passageScores - P numbers
 * @param logLikelihoods - P numbers, ln p(a | q, z), finite
 * @param entityOf - per path, the entity it starts from, below K; an entity may have none
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function jointPathLoss(
  entityScores: Floats,
  passageScores: Floats,
  logLikelihoods: Floats,
  entityOf: ArrayLike<number>,
  options: JointPathLossOptions = {},
): JointPathLoss {
  checkKeys(options, ['form', 'entityTemperature', 'passageTemperature']);
  const form = checkChoice(options.form ?? 'marginal', ['marginal', 'paths'], 'form');
  const entityTemperature = checkTemperature(options.entityTemperature ?? 1);
  const passageTemperature = checkTemperature(options.passageTemperature ?? 1);
  const x = checkFloats(entityScores, 'entityScores');
  const y = checkFloats(passageScores, 'passageScores');
  const entities = softmaxWithLogs(x, entityTemperature);
  const passages = softmaxWithLogs(y, passageTemperature);
  const reader = checkFloats(logLikelihoods, 'logLikelihoods', passageScores.length);
  const paths = reader.length;
  checkEntities(entityOf, paths, entityScores.length);

  const joint = passages.logs.map((log, i) => entities.logs[entityOf[i]!]! + log + reader[i]!);
  const marginal = logSumExp(joint);
  const weights = joint.map((j) => (form === 'marginal' ? Math.exp(j - marginal) : 1));
  const total = form === 'marginal' ? 1 : paths;
  const entityGradient = entities.probabilities.map((p) => (total * p) / entityTemperature);
  for (let i = 0; i < paths; i++) entityGradient[entityOf[i]!]! -= weights[i]! / entityTemperature;
  const passageGradient = passages.probabilities.map(
    (p, i) => (total * p - weights[i]!) / passageTemperature,
  );
  return {
    loss: form === 'marginal' ? -marginal : -joint.reduce((sum, j) => sum + j, 0),
    entityGradient,
    passageGradient,
    readerGradient: weights.map((weight) => -weight),
    entityTemperatureGradient: temperatureGradient(x, entityGradient, entityTemperature),
    passageTemperatureGradient: temperatureGradient(y, passageGradient, passageTemperature),
  };
}

function checkEntities(entityOf: ArrayLike<number>, paths: number, entities: number): void {
  checkLength(entityOf.length, 'entityOf', paths);
  for (let i = 0; i < paths; i++) {
    const entity = entityOf[i]!;
    if (!Number.isSafeInteger(entity) || entity < 0 || entity >= entities) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `the entity of path ${i} must be below ${entities}, got ${show(entity)}`,
        { position: i },
      );
    }
  }
}

import { normaliseAnswer } from '../../generators/normalise-answer.js';
import { checkKeys } from '../../index/arguments.js';
import { jointPathLoss } from '../losses/joint-path-loss.js';
import { checkAtLeast } from '../losses/loss-arguments.js';
import { answerLikelihood } from '../reader/answer-likelihood.js';
import { rightSpans } from '../reader/span-reading.js';
import type { JointExample } from './joint-knowledge.js';
import { type JointPaths, type JointTemperatures, questionPaths } from './joint-paths.js';

/** Options of the objective of joint training. */
export interface JointObjectiveOptions {
  /** Of `jointPathLoss`: `marginal`, the default, is what the released code trains by, `paths` what the paper writes. */
  readonly form?: 'marginal' | 'paths' | undefined;
  /** Weight b of the reader's plain cross entropy, at least 0; 1 by default, as in the released code. */
  readonly readerWeight?: number | undefined;
  /** Likelihood of an answer that a passage does not hold, above 0 and below 1; 1e-6 by default. */
  readonly floor?: number | undefined;
}

/** What the objective is for some questions. */
export interface JointLoss {
  /** L, which the gradients belong to. */
  readonly loss: number;
  /** Mean of `jointPathLoss` over the questions that were reached; undefined where none was. */
  readonly jointLoss: number | undefined;
  /** The reader's cross entropy, mean over all paths. */
  readonly readerLoss: number;
  /** Questions of whose passages at least one holds an accepted answer. */
  readonly reached: number;
}

/** The loss with its gradients. */
export interface JointGradients extends JointLoss {
  /** dL/d(entity scores), as `paths.entities.scores` lie. */
  readonly entities: Float64Array;
  /** dL/d(passage scores), as `paths.passages.scores` lie. */
  readonly passages: Float64Array;
  /** Per path, dL/d(reader scores). */
  readonly spans: readonly Float64Array[];
}

/**
 * The objective of joint training over questions whose paths were found:
 *
 *     L = mean over reached questions of jointPathLoss + b * mean over all paths of -ln p(right | q, z)
 *
 * The first reads ln p(a | q, z) = ln((1 - floor) p + floor), p summed over the candidates that are an accepted answer. A question none of
 * whose passages holds one says nothing about paths and is left out of it. The second is the reader's own loss: where a passage holds no
 * accepted answer its null answer is right, which nothing else teaches. Float64, but for scores.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function jointObjective(
  paths: JointPaths,
  examples: readonly JointExample[],
  temperatures: JointTemperatures,
  options: JointObjectiveOptions = {},
): JointGradients {
  checkKeys(options, ['form', 'readerWeight', 'floor']);
  const { form = 'marginal', floor = 1e-6 } = options;
  const readerWeight = checkAtLeast(options.readerWeight ?? 1, 0, 'readerWeight');
  checkAtLeast(floor, Number.MIN_VALUE, 'floor');
  const { entityCount: K, passageCount: M, readings, spans } = paths;
  const entities = new Float64Array(examples.length * K);
  const passages = new Float64Array(examples.length * K * M);
  const spanGradients = spans.scores.map(({ length }) => new Float64Array(length));
  const accepted = examples.map(({ answers }) => new Set(answers.map(normaliseAnswer)));
  const acceptedOf = (path: number) => accepted[Math.floor(path / (K * M))]!;

  const right = readings.map((reading, path) => rightSpans(reading, acceptedOf(path), false));
  const likelihoods = spans.scores.map((scores, path) => answerLikelihood(scores, right[path]!, { floor }));
  const questions = examples.map((_, n) => questionPaths(paths, n));
  const reached = questions.filter(({ first }) =>
    right.slice(first, first + K * M).some((spanIsRight) => spanIsRight.includes(1)),
  );
  let jointSum = 0;
  for (const { first, entityScores, passageScores, entityOf } of reached) {
    const found = likelihoods.slice(first, first + K * M);
    const logs = Float64Array.from(found, ({ logLikelihood }) => logLikelihood);
    const part = jointPathLoss(entityScores, passageScores, logs, entityOf, { form, ...temperatures });
    jointSum += part.loss;
    entities.set(
      part.entityGradient.map((slope) => slope / reached.length),
      first / M,
    );
    passages.set(
      part.passageGradient.map((slope) => slope / reached.length),
      first,
    );
    for (const [i, { gradient }] of found.entries()) {
      addTo(spanGradients[first + i]!, gradient, part.readerGradient[i]! / reached.length);
    }
  }
  let readerSum = 0;
  for (const [path, reading] of readings.entries()) {
    const own = answerLikelihood(spans.scores[path]!, rightSpans(reading, acceptedOf(path), true));
    readerSum -= own.logLikelihood;
    addTo(spanGradients[path]!, own.gradient, -readerWeight / readings.length);
  }
  const jointLoss = reached.length === 0 ? undefined : jointSum / reached.length;
  const readerLoss = readerSum / readings.length;
  return {
    loss: (jointLoss ?? 0) + readerWeight * readerLoss,
    jointLoss,
    readerLoss,
    reached: reached.length,
    entities,
    passages,
    spans: spanGradients,
  };
}

function addTo(sum: Float64Array, gradient: Float64Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * gradient[i]!;
}

import { normaliseAnswer } from '../../../../src/generators/normalise-answer.js';
import type { JointExample } from '../../../../src/training/joint/joint-knowledge.js';
import type { JointModel } from '../../../../src/training/joint/joint-model.js';
import type { JointPaths } from '../../../../src/training/joint/joint-paths.js';
import { matrixRow } from '../../../../src/vectors/matrix.js';
import { plainSoftmax } from '../losses/finite-differences.js';
import { slowSpanScores } from '../reader/slow-span-scores.js';
import { slowOutputs, type Values } from '../towers/slow-tower.js';
import { ENCODER } from './joint-world.js';

/** Numbers of the three parts by name, in float64. */
export type PartValues = Readonly<Record<'entity' | 'query' | 'reader', Values>>;

export interface SlowOptions {
  readonly form: 'marginal' | 'paths';
  readonly readerWeight: number;
  readonly floor: number;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The objective of joint training in float64 over paths that are given: path after path as the formulas are written down. */
export async function slowJointLoss(
  model: JointModel,
  values: PartValues,
  paths: JointPaths,
  examples: readonly JointExample[],
  { form, readerWeight, floor }: SlowOptions,
): Promise<() => number> {
  const { entityCount: K, passageCount: M } = paths;
  const { entities, titles, passages } = model.knowledge;
  const { entityTemperature, passageTemperature } = model.temperatures;
  const expanded = Array.from(
    paths.entities.rows,
    (row, i) => `${examples[Math.floor(i / K)]!.question} ${titles[row]}`,
  );
  const texts = (await ENCODER.encodeQueries(expanded)).vectors;
  const mapped = (part: 'entity' | 'query', x: Float32Array) =>
    slowOutputs(model.parts[part].shape, values[part], Float64Array.from(x), x.length);
  return () => {
    const joint: number[] = [];
    let readerLoss = 0;
    for (const [n, { picture, answers }] of examples.entries()) {
      const accepted = answers.map(normaliseAnswer);
      const places = Array.from({ length: K * M }, (_, i) => n * K * M + i);
      const y = mapped('entity', picture);
      const entityScores = Array.from({ length: K }, (_, e) =>
        dot(y, matrixRow(entities, paths.entities.rows[n * K + e]!)),
      );
      const passageScores = places.map((path) =>
        dot(
          mapped('query', matrixRow(texts, Math.floor(path / M))),
          matrixRow(passages, paths.passages.rows[path]!),
        ),
      );
      let reached = false;
      const likelihoods = places.map((path) => {
        const reading = paths.readings[path]!;
        const p = plainSoftmax(slowSpanScores(values.reader, reading));
        const right = reading.candidates.map(({ normalised }) => accepted.includes(normalised));
        const found = right.reduce((sum, isRight, c) => sum + (isRight ? p[c + 1]! : 0), 0);
        reached ||= right.includes(true);
        readerLoss -= Math.log(right.includes(true) ? found : p[0]!) / paths.readings.length;
        return (1 - floor) * found + floor;
      });
      const e = plainSoftmax(entityScores, entityTemperature);
      const z = plainSoftmax(passageScores, passageTemperature);
      const products = likelihoods.map((a, i) => e[Math.floor(i / M)]! * z[i]! * a);
      if (!reached) continue;
      joint.push(
        form === 'marginal'
          ? -Math.log(products.reduce((sum, product) => sum + product, 0))
          : -products.reduce((sum, product) => sum + Math.log(product), 0),
      );
    }
    const mean = joint.reduce((sum, loss) => sum + loss, 0) / Math.max(1, joint.length);
    return mean + readerWeight * readerLoss;
  };
}

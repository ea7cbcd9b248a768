import { AdamW } from '../../../../src/training/towers/adamw.js';
import { DocumentIndex } from '../../../../src/training/trainer/document-index.js';
import { epochOrder } from '../../../../src/training/trainer/epoch-order.js';
import { mineNegatives } from '../../../../src/training/trainer/mine-negatives.js';
import { RetrieverTowers } from '../../../../src/training/trainer/retriever-towers.js';
import type { TrainPlan } from '../../../../src/training/trainer/train-options.js';
import { trainingBatch } from '../../../../src/training/trainer/training-batch.js';
import type { RetrieverData } from '../../../../src/training/trainer/training-data.js';
import type { TrainingStep } from '../../../../src/training/trainer/training-history.js';
import { lossAndGradients } from '../../../../src/training/trainer/training-step.js';
import { dot } from '../../../../src/vectors/dot.js';
import { matrixRow } from '../../../../src/vectors/matrix.js';

/** A measurement, and the parameters that were measured. */
export interface SlowEvaluation {
  readonly step: number;
  readonly reciprocalRank: number;
  readonly values: ReadonlyMap<string, Float32Array>;
}

const PASS = { threads: 1, signal: undefined };

/** The loop of training as it is written down: epochs of steps, one line for each thing that a step does. Nothing is stopped early. */
export async function slowTraining(data: RetrieverData, plan: TrainPlan) {
  const { documents, train } = data;
  const towers = await RetrieverTowers.create(
    { query: plan.queryTower, document: plan.documentTower },
    { ...plan, signal: undefined },
  );
  const withoutDecay = [...towers.parameters.keys()].filter((name) => /bias$|^log_temperature$/.test(name));
  const optimiser = new AdamW(towers.parameters, { weightDecay: plan.weightDecay, withoutDecay });
  const steps: TrainingStep[] = [];
  const evaluations: SlowEvaluation[] = [
    { step: 0, reciprocalRank: await reciprocalRank(towers, data, plan.depth), values: towers.values() },
  ];
  let mined: Uint32Array = new Uint32Array(0);
  for (let epoch = 1; steps.length < plan.steps; epoch++) {
    if (epoch % plan.mineEvery === 1 % plan.mineEvery) {
      // An index of its own each time: it holds no documents of other towers.
      using index = new DocumentIndex(towers, documents, PASS);
      mined = await mineNegatives(index, train, plan.hardNegatives, steps.length);
    }
    const order = epochOrder(plan.seed, epoch, train.positives);
    for (let first = 0; first < train.vectors.rows && steps.length < plan.steps; first += plan.batchSize) {
      const step = steps.length + 1;
      const { temperature } = towers;
      const places = [first, Math.min(first + plan.batchSize, train.vectors.rows)] as const;
      const batch = trainingBatch(train, order, places, { mined, perQuery: plan.hardNegatives });
      const vectors = { queries: train.vectors, documents };
      const loss = await lossAndGradients(towers, vectors, batch, plan.loss, PASS);
      const learningRate = slowRate(step, plan);
      const { gradientNorm } = await optimiser.step({ learningRate, clip: plan.clip, threads: 1 });
      const logTemperature = towers.parameters.get('log_temperature')!.values;
      logTemperature[0] = Math.max(logTemperature[0]!, Math.log(0.01));
      steps.push({ step, epoch, loss, learningRate, gradientNorm, temperature });
    }
    if (epoch % plan.evaluateEvery === 0 || steps.length === plan.steps) {
      evaluations.push({
        step: steps.length,
        reciprocalRank: await reciprocalRank(towers, data, plan.depth),
        values: towers.values(),
      });
    }
  }
  return { steps, evaluations };
}

/** A tenth of the steps rises, by the formula; then half a period of the cosine. */
function slowRate(step: number, { learningRate, warmup, steps }: TrainPlan): number {
  const rising = Math.floor(warmup * steps);
  if (step <= rising) return (learningRate * step) / (rising + 1);
  return (learningRate * (1 + Math.cos(Math.PI * ((step - 1 - rising) / (steps - rising))))) / 2;
}

/** The mean over queries of 1 / the rank of the first positive, 0 beyond the depth, from all products in float64. */
async function reciprocalRank(
  towers: RetrieverTowers,
  { documents, dev }: RetrieverData,
  depth: number,
): Promise<number> {
  const { vectors, positives } = dev!;
  const queries = await towers.encodeQueries(vectors, PASS);
  const found = await towers.encodeDocuments(documents, PASS);
  let sum = 0;
  for (let query = 0; query < queries.rows; query++) {
    const asked = matrixRow(queries, query);
    const scores = Array.from({ length: found.rows }, (_, row) => dot(matrixRow(found, row), asked));
    const best = Math.max(...Array.from(positives[query]!, (row) => scores[row]!));
    const rank = 1 + scores.filter((score) => score > best).length;
    sum += rank <= depth ? 1 / rank : 0;
  }
  return sum / queries.rows;
}

import { isCheckpointDue } from '../run/checkpoint-file.js';
import { DivergenceGuard } from '../run/divergence.js';
import { checkSchedule, learningRateAt } from '../run/learning-rate.js';
import type { RunIdentity } from '../run/run-identity.js';
import { AdamW } from '../towers/adamw.js';
import type { PassOptions } from '../towers/native-tower.js';
import { Workspace } from '../towers/workspace.js';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { DocumentIndex } from './document-index.js';
import { type EpochOrder, epochOrder } from './epoch-order.js';
import { measureRetriever } from './measure-retriever.js';
import { mineNegatives } from './mine-negatives.js';
import { retrieverIdentity } from './retriever-identity.js';
import { RetrieverTowers } from './retriever-towers.js';
import type { TrainOptions, TrainPlan } from './train-options.js';
import { trainingBatch } from './training-batch.js';
import type { RetrieverData } from './training-data.js';
import {
  eventsOf,
  type TrainingEvaluation,
  type TrainingHistory,
  type TrainingStep,
} from './training-history.js';
import { lossAndGradients } from './training-step.js';

/** Why a run ended. */
export type TrainingEnd = 'steps' | 'patience';

/** One run: steps, searches for hard negatives, measurements and checkpoints, one after the other. */
export class RetrieverTraining implements Disposable {
  readonly towers: RetrieverTowers;
  readonly #data: RetrieverData;
  readonly #plan: TrainPlan;
  readonly #options: TrainOptions;
  readonly #pass: PassOptions;
  readonly #index: DocumentIndex;
  readonly #guard = new DivergenceGuard();
  readonly #workspace = new Workspace();
  readonly #steps: TrainingStep[] = [];
  readonly #evaluations: TrainingEvaluation[] = [];
  #optimiser: AdamW;
  #identity: RunIdentity = {};
  #best: ReadonlyMap<string, Float32Array> | undefined;
  #mined: Uint32Array;
  #order: EpochOrder | undefined;

  private constructor(data: RetrieverData, plan: TrainPlan, options: TrainOptions, towers: RetrieverTowers) {
    this.#data = data;
    this.#plan = plan;
    this.#options = options;
    this.towers = towers;
    this.#pass = { threads: options.threads ?? 0, signal: options.signal };
    this.#index = new DocumentIndex(towers, data.documents, this.#pass);
    this.#optimiser = this.#newOptimiser();
    this.#mined = new Uint32Array(0);
  }

  /** A run at its beginning, or where its checkpoint left off. */
  static async open(data: RetrieverData, plan: TrainPlan, options: TrainOptions): Promise<RetrieverTraining> {
    const { seed, temperature, learnTemperature } = plan;
    const { signal } = options;
    const shapes = { query: plan.queryTower, document: plan.documentTower };
    const towers = await RetrieverTowers.create(shapes, { seed, temperature, learnTemperature, signal });
    const training = new RetrieverTraining(data, plan, options, towers);
    if (options.checkpoint !== undefined) await training.#restore(options.checkpoint.file);
    return training;
  }

  get history(): TrainingHistory {
    return { steps: this.#steps, evaluations: this.#evaluations };
  }

  /** Steps that were taken. */
  get taken(): number {
    return this.#steps.length;
  }

  /** The measurement whose parameters are kept. */
  get best(): TrainingEvaluation | undefined {
    return this.#evaluations.findLast(({ best }) => best);
  }

  /** Runs to the end; the towers then have the parameters that measured best, or without `dev` the last. */
  async run(): Promise<TrainingEnd> {
    for (const event of eventsOf(this.history)) this.#options.onEvent?.(event);
    if (this.taken === 0 && this.#evaluations.length === 0) await this.#evaluate();
    while (this.#end() === undefined) await this.#step();
    if (this.#best !== undefined) this.towers.setValues(this.#best);
    this.#guard.requireFinite(this.taken, this.towers.parameters);
    return this.#end()!;
  }

  [Symbol.dispose](): void {
    this.#index[Symbol.dispose]();
  }

  #end(): TrainingEnd | undefined {
    const last = this.#evaluations.length - 1;
    const best = this.#evaluations.findLastIndex((one) => one.best);
    if (this.#evaluations.length > 0 && last - best >= this.#plan.patience) return 'patience';
    return this.taken >= this.#plan.steps ? 'steps' : undefined;
  }

  async #step(): Promise<void> {
    const { stepsPerEpoch, batchSize, loss: name, clip } = this.#plan;
    const { train } = this.#data;
    const step = this.taken + 1;
    const epoch = Math.ceil(step / stepsPerEpoch);
    const inEpoch = (step - 1) % stepsPerEpoch;
    if (inEpoch === 0) await this.#mine(epoch);
    if (inEpoch === 0 || this.#order === undefined) {
      this.#order = epochOrder(this.#plan.seed, epoch, train.positives);
    }
    const places = [inEpoch * batchSize, (inEpoch + 1) * batchSize] as const;
    const mined = { mined: this.#mined, perQuery: this.#plan.hardNegatives };
    const batch = trainingBatch(train, this.#order, places, mined);
    const learningRate = learningRateAt(step, this.#schedule());
    const { temperature } = this.towers;
    const vectors = { queries: train.vectors, documents: this.#data.documents };
    const pass = { ...this.#pass, workspace: this.#workspace };
    this.#workspace.nextStep();
    const { loss, gradientNorm } = await this.#guard.during(step, async () => {
      const value = await lossAndGradients(this.towers, vectors, batch, name, pass);
      this.#guard.see(step, value);
      const { threads } = this.#pass;
      const taken = await this.#optimiser.step({ learningRate, clip, threads });
      return { loss: value, ...taken };
    });
    this.towers.boundTemperature();
    const taken = { step, epoch, loss, learningRate, gradientNorm, temperature };
    this.#steps.push(taken);
    this.#options.onEvent?.({ type: 'step', ...taken });
    const ends = step % stepsPerEpoch === 0 || step === this.#plan.steps;
    if (ends && (epoch % this.#plan.evaluateEvery === 0 || step === this.#plan.steps)) await this.#evaluate();
    await this.#checkpoint(ends);
  }

  async #mine(epoch: number): Promise<void> {
    const { hardNegatives, mineEvery } = this.#plan;
    if ((epoch - 1) % mineEvery !== 0) return;
    this.#mined = await this.#guard.during(this.taken + 1, () =>
      mineNegatives(this.#index, this.#data.train, hardNegatives, this.taken),
    );
  }

  async #evaluate(): Promise<void> {
    const { dev } = this.#data;
    if (dev === undefined) return;
    const { measures: names, depth, stepsPerEpoch } = this.#plan;
    const step = this.taken;
    const measures = await this.#guard.during(step, () =>
      measureRetriever(this.#index, dev, names, depth, step),
    );
    const decides = names[0]!;
    const best = measures[decides]! > (this.best?.measures[decides] ?? Number.NEGATIVE_INFINITY);
    if (best) this.#best = this.towers.values();
    const measured = { step, epoch: Math.ceil(step / stepsPerEpoch), measures, best };
    this.#evaluations.push(measured);
    this.#options.onEvent?.({ type: 'evaluation', ...measured });
  }

  async #checkpoint(endOfEpoch: boolean): Promise<void> {
    const { checkpoint } = this.#options;
    if (checkpoint === undefined) return;
    const { file } = checkpoint;
    if (!isCheckpointDue(checkpoint, this.taken, endOfEpoch) && this.#end() === undefined) return;
    this.#guard.requireFinite(this.taken, this.towers.parameters);
    const state = {
      steps: this.#steps,
      evaluations: this.#evaluations,
      values: this.towers.values(),
      optimiser: this.#optimiser.state,
      best: this.#best,
      mined: this.#mined,
    };
    await writeCheckpoint(file, this.#identity, state, this.towers.parameters);
    this.#guard.checkpoint = { file, step: this.taken };
  }

  async #restore(file: string): Promise<void> {
    this.#identity = await retrieverIdentity(this.#plan, this.#data, this.#options.signal);
    const state = await readCheckpoint(file, this.#identity, this.towers.parameters);
    if (state === undefined) return;
    this.towers.setValues(state.values);
    this.#optimiser = this.#newOptimiser(state.optimiser);
    // Not as arguments of one call: there may be more of them than it takes.
    for (const step of state.steps) this.#steps.push(step);
    for (const measured of state.evaluations) this.#evaluations.push(measured);
    this.#best = state.best;
    this.#mined = state.mined;
    this.#guard.checkpoint = { file, step: this.taken };
    for (const { step, loss } of state.steps) this.#guard.see(step, loss);
  }

  #newOptimiser(state?: AdamW['state']): AdamW {
    const { weightDecay } = this.#plan;
    const { parameters, withoutDecay } = this.towers;
    return new AdamW(parameters, { weightDecay, withoutDecay, state });
  }

  #schedule() {
    const { learningRate, steps } = this.#plan;
    return { learningRate, ...checkSchedule(this.#plan, steps) };
  }
}

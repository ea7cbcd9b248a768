import { GranuleError } from '../../errors.js';
import { checkBoolean, checkKeys, checkSignal, checkThreads, show } from '../../index/arguments.js';
import { checkContrastTemperature } from '../losses/contrast-arguments.js';
import { checkChoice } from '../losses/loss-arguments.js';
import { type CheckpointOptions, checkCheckpoint } from '../run/checkpoint-file.js';
import { checkSchedule, type Decay, type ScheduleOptions } from '../run/learning-rate.js';
import { checkTowerShape, type TowerShape } from '../towers/tower-shape.js';
import { isListLoss, RETRIEVER_LOSSES, type RetrieverLoss } from './batch-losses.js';
import { checkMeasures } from './measure-retriever.js';
import { LEAST_TEMPERATURE } from './retriever-towers.js';
import type { RetrieverData } from './training-data.js';
import type { TrainingEvent } from './training-history.js';

/** Options of {@link trainRetriever}. */
export interface TrainOptions extends ScheduleOptions {
  /** Of queries; by default low-rank with rank min(64, d), which begins as the identity. */
  readonly queryTower?: TowerShape | undefined;
  /** Of documents; by default there is none: documents stay as they are, and so do their indexes. */
  readonly documentTower?: TowerShape | undefined;
  /** `in-batch-contrast` by default. */
  readonly loss?: RetrieverLoss | undefined;
  /** t, by which scores are divided; it begins so where it learns, at 0.01 or above; 0.05 by default. */
  readonly temperature?: number | undefined;
  /** Whether ln t is trained, t at least 0.01; true by default. */
  readonly learnTemperature?: boolean | undefined;
  /** Mined hard negatives per query, 0 to 1,000; 4 by default. */
  readonly hardNegatives?: number | undefined;
  /** Epochs between two searches for hard negatives, from 1; 1 by default. */
  readonly mineEvery?: number | undefined;
  /** Queries of a step, from 1; 64 by default. */
  readonly batchSize?: number | undefined;
  /** Times that each query is trained on, from 1; 10 by default. */
  readonly epochs?: number | undefined;
  /** Steps at which to end instead; from 1. */
  readonly steps?: number | undefined;
  /** Highest learning rate, above 0; 1e-3 by default. */
  readonly learningRate?: number | undefined;
  /** Of AdamW, of weights only; at least 0; 0.01 by default. */
  readonly weightDecay?: number | undefined;
  /** Greatest norm of all gradients together, above 0; 1 by default. */
  readonly clip?: number | undefined;
  /** Of weights and of the order of queries; 0 by default. A seed gives the same weights on every number of threads. */
  readonly seed?: number | string | undefined;
  /** Measures of `dev`, as trec_eval names them; the first decides; `recip_rank`, `ndcg_cut_10` and `recall_10` by default. */
  readonly measures?: readonly string[] | undefined;
  /** Documents of a list that is measured, from 1; 100 by default. */
  readonly depth?: number | undefined;
  /** Epochs between two measurements, from 1; 1 by default. */
  readonly evaluateEvery?: number | undefined;
  /** Measurements one after the other without a better one after which training ends, from 1; 3 by default. */
  readonly patience?: number | undefined;
  /** None by default. */
  readonly checkpoint?: CheckpointOptions | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Ends training; the last checkpoint stays. */
  readonly signal?: AbortSignal | undefined;
  /** Is told once how the run will be: options with their defaults, the steps, and how many of them a checkpoint brings. */
  readonly onPlan?: ((plan: TrainPlan, resumedAt: number) => void) | undefined;
  /** Is told of every step and measurement, those that a checkpoint brings first. */
  readonly onEvent?: ((event: TrainingEvent) => void) | undefined;
}

/** Options with their defaults, as far as results depend on them. */
export interface TrainPlan {
  readonly queryTower: TowerShape;
  readonly documentTower: TowerShape | undefined;
  readonly loss: RetrieverLoss;
  readonly temperature: number;
  readonly learnTemperature: boolean;
  readonly hardNegatives: number;
  readonly mineEvery: number;
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly decay: Decay;
  readonly weightDecay: number;
  readonly clip: number;
  readonly seed: number | string;
  readonly measures: readonly string[];
  readonly depth: number;
  readonly evaluateEvery: number;
  readonly patience: number;
}

const KNOWN = [
  ...['queryTower', 'documentTower', 'loss', 'temperature', 'learnTemperature', 'hardNegatives', 'mineEvery'],
  ...['batchSize', 'epochs', 'steps', 'learningRate', 'warmup', 'decay', 'weightDecay', 'clip', 'seed'],
  ...[
    'measures',
    'depth',
    'evaluateEvery',
    'patience',
    'checkpoint',
    'threads',
    'signal',
    'onPlan',
    'onEvent',
  ],
];

const MOST = Number.MAX_SAFE_INTEGER;

/** @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `TEMPERATURE_INVALID`, `LENGTH_MISMATCH`, `TRAINING_DATA_INVALID` */
export function trainPlan(options: TrainOptions, data: RetrieverData): TrainPlan {
  checkKeys(options, KNOWN);
  checkCheckpoint(options.checkpoint);
  checkThreads(options.threads ?? 0);
  checkSignal(options.signal);
  const towers = checkTowers(options, data);
  const batchSize = whole(options.batchSize ?? 64, 1, MOST, 'batchSize');
  const stepsPerEpoch = Math.ceil(data.train.vectors.rows / batchSize);
  const epochs = whole(options.epochs ?? 10, 1, MOST, 'epochs');
  const { seed = 0, warmup = 0.1, decay = 'cosine' } = options;
  if (typeof seed !== 'string' && !Number.isFinite(seed)) {
    throw invalid(`seed must be a number or a text, got ${show(seed)}`);
  }
  const plan: TrainPlan = {
    ...towers,
    loss: checkChoice(options.loss ?? 'in-batch-contrast', RETRIEVER_LOSSES, 'loss'),
    ...checkTemperature(options),
    hardNegatives: whole(options.hardNegatives ?? 4, 0, 1000, 'hardNegatives'),
    mineEvery: whole(options.mineEvery ?? 1, 1, MOST, 'mineEvery'),
    batchSize,
    stepsPerEpoch,
    steps: whole(options.steps ?? epochs * stepsPerEpoch, 1, MOST, 'steps'),
    learningRate: above0(options.learningRate ?? 1e-3, 'learningRate'),
    warmup,
    decay,
    weightDecay: atLeast0(options.weightDecay ?? 0.01, 'weightDecay'),
    clip: above0(options.clip ?? 1, 'clip'),
    seed,
    measures: checkMeasures(options.measures ?? ['recip_rank', 'ndcg_cut_10', 'recall_10']),
    depth: whole(options.depth ?? 100, 1, MOST, 'depth'),
    evaluateEvery: whole(options.evaluateEvery ?? 1, 1, MOST, 'evaluateEvery'),
    patience: whole(options.patience ?? 3, 1, MOST, 'patience'),
  };
  checkSchedule(plan, plan.steps);
  requireNegatives(plan, data);
  return plan;
}

function checkTemperature(options: TrainOptions): Pick<TrainPlan, 'temperature' | 'learnTemperature'> {
  const temperature = checkContrastTemperature(options.temperature ?? 0.05);
  const learnTemperature = checkBoolean(options.learnTemperature ?? true, 'learnTemperature');
  if (learnTemperature && temperature < LEAST_TEMPERATURE) {
    throw new GranuleError(
      'TEMPERATURE_INVALID',
      `a temperature that learns must begin at ${LEAST_TEMPERATURE} at least, got ${temperature}; learnTemperature: false keeps it`,
      { temperature },
    );
  }
  return { temperature, learnTemperature };
}

function checkTowers(
  options: TrainOptions,
  { documents, train, dev }: RetrieverData,
): Pick<TrainPlan, 'queryTower' | 'documentTower'> {
  const { columns } = train.vectors;
  const { documentTower } = options;
  const queryTower = options.queryTower ?? {
    kind: 'low-rank',
    dimension: columns,
    rank: Math.min(64, columns),
  };
  const query = checkTowerShape(queryTower);
  const document = documentTower && checkTowerShape(documentTower);
  requireEqual(query.input, columns, 'numbers that the query tower takes', "numbers of the queries' vectors");
  if (dev !== undefined) {
    requireEqual(dev.vectors.columns, columns, 'numbers of the vectors of dev', 'those of train');
  }
  if (document !== undefined) {
    requireEqual(
      document.input,
      documents.columns,
      'numbers that the document tower takes',
      "numbers of the documents' vectors",
    );
  }
  requireEqual(
    query.output,
    document?.output ?? documents.columns,
    'numbers that the query tower gives',
    document === undefined ? "numbers of the documents' vectors" : 'those that the document tower gives',
  );
  return { queryTower, documentTower };
}

/** A list of positives alone teaches nothing, and neither does a batch of one query. */
function requireNegatives({ loss, batchSize, hardNegatives }: TrainPlan, { train }: RetrieverData): void {
  if (hardNegatives > 0 || train.negatives?.some(({ length }) => length > 0)) return;
  if (isListLoss(loss)) {
    throw invalid(
      `${loss} compares a query's positives with its negatives; hardNegatives is 0 and none are given`,
    );
  }
  if (Math.min(batchSize, train.vectors.rows) < 2) {
    throw new GranuleError(
      'TRAINING_DATA_INVALID',
      `${loss} compares queries of a batch, and there is one only: give more queries, or negatives`,
    );
  }
}

function requireEqual(given: number, needed: number, name: string, other: string): void {
  if (given === needed) return;
  throw new GranuleError('LENGTH_MISMATCH', `the ${name}, ${given}, must be the ${other}, ${needed}`, {
    given,
    needed,
  });
}

function whole(value: number, least: number, most: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === MOST ? `of at least ${least}` : `from ${least} to ${most}`;
    throw invalid(`${name} must be a whole number ${range}, got ${show(value)}`);
  }
  return value;
}

function above0(value: number, name: string): number {
  if (!(atLeast0(value, name) > 0)) throw invalid(`${name} must be above 0`);
  return value;
}

function atLeast0(value: number, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw invalid(`${name} must be a finite number of at least 0, got ${show(value)}`);
  }
  return value;
}

function invalid(message: string): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message);
}

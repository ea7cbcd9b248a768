import { softmaxWithLogs } from '../losses/log-softmax.js';
import type { SpanReading } from '../reader/span-reading.js';
import type { SpanScores } from '../reader/span-scores.js';
import type { TowerHits } from './tower-hits.js';

/** The temperatures of a model's two softmaxes. */
export interface JointTemperatures {
  readonly entityTemperature: number;
  readonly passageTemperature: number;
}

/**
 * The paths of some questions: n questions, K entities each, M passages per entity. Path `(n K + e) M + m` goes over the e-th entity of
 * question n and the m-th passage that the question expanded by that entity's title found.
 */
export interface JointPaths {
  readonly questions: number;
  /** K. */
  readonly entityCount: number;
  /** M. */
  readonly passageCount: number;
  /** questions x K. */
  readonly entities: TowerHits;
  /** (questions x K) x M. */
  readonly passages: TowerHits;
  /** Per path, its passage read for the question as it was asked. */
  readonly readings: readonly SpanReading[];
  /** Per path, the reader's scores. */
  readonly spans: SpanScores;
}

/** The scores of one question's paths. */
export interface QuestionPaths {
  /** The first path. */
  readonly first: number;
  /** K numbers. */
  readonly entityScores: Float32Array;
  /** K M numbers: of the expanded queries that found the passages. */
  readonly passageScores: Float32Array;
  /** Per path, its entity's place among the K. */
  readonly entityOf: readonly number[];
}

/** The paths of question n. */
export function questionPaths(paths: JointPaths, n: number): QuestionPaths {
  const { entityCount: K, passageCount: M } = paths;
  const count = K * M;
  return {
    first: n * count,
    entityScores: paths.entities.scores.subarray(n * K, (n + 1) * K),
    passageScores: paths.passages.scores.subarray(n * count, (n + 1) * count),
    entityOf: Array.from({ length: count }, (_, path) => Math.floor(path / M)),
  };
}

/** Per path of a question, ln p(e | q) + ln p(z | q, e): p(e) over the K entities, p(z) over all K M passages. */
export function logPriors(
  { entityScores, passageScores, entityOf }: QuestionPaths,
  temperatures: JointTemperatures,
): Float64Array {
  const entities = softmaxWithLogs(Float64Array.from(entityScores), temperatures.entityTemperature).logs;
  const passages = softmaxWithLogs(Float64Array.from(passageScores), temperatures.passageTemperature).logs;
  return passages.map((log, path) => log + entities[entityOf[path]!]!);
}

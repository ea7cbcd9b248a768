import type { PassageReadings } from '../../training/reader/passage-readings.js';
/** A step that was taken. */
export interface TakenStep {
  /** Counted from 1. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** How a stage of training runs. */
export interface StageOptions {
  /** Of initial weights and of the order. */
  readonly seed: number;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step. */
  readonly onStep?: ((step: TakenStep) => void) | undefined;
}

/** How a stage runs that reads passages. */
export interface ReadingStageOptions extends StageOptions {
  /** Kept readings, which serve every stage and seed; the stage's own by default. */
  readonly readings?: PassageReadings | undefined;
  /** Questions that are asked, the stage's number of them by default. */
  readonly questions?: number | undefined;
}

/** How a stage runs that trains the query tower alone. */
export interface QueryStageOptions extends ReadingStageOptions {
  /** Highest rate; the stage's by default. */
  readonly learningRate?: number | undefined;
}

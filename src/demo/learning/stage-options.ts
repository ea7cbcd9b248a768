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

/** A step that was taken. */
export interface TrainingStep {
  /** From 1. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  /** Of the batch, before the step. */
  readonly loss: number;
  readonly learningRate: number;
  /** Of all gradients together, before clipping. */
  readonly gradientNorm: number;
  /** Before the step. */
  readonly temperature: number;
}

/** The queries of `dev`, measured. */
export interface TrainingEvaluation {
  /** Steps that were taken before; 0: the retriever as it was. */
  readonly step: number;
  readonly epoch: number;
  /** By name, the measure that decides first. */
  readonly measures: Readonly<Record<string, number>>;
  /** Whether it is the best so far. */
  readonly best: boolean;
}

/** All that has happened in a run. */
export interface TrainingHistory {
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
}

/** What happened just now. After a run goes on from a checkpoint, what happened before is told first. */
export type TrainingEvent =
  | ({ readonly type: 'step' } & TrainingStep)
  | ({ readonly type: 'evaluation' } & TrainingEvaluation);

/** A history as the events that led to it, in their order. */
export function eventsOf({ steps, evaluations }: TrainingHistory): TrainingEvent[] {
  // Both ascend.
  const events: TrainingEvent[] = [];
  let told = 0;
  const tellMeasured = (step: number) => {
    for (; told < evaluations.length && evaluations[told]!.step <= step; told++) {
      events.push({ type: 'evaluation', ...evaluations[told]! });
    }
  };
  tellMeasured(0);
  for (const one of steps) {
    events.push({ type: 'step', ...one });
    tellMeasured(one.step);
  }
  return events;
}

import type { TrainingEvent, TrainingLog, TrainPlan } from '../training/index.js';
import type { ProgressLine } from './progress-line.js';

/** Shows a run on the progress line, and writes it to a log. */
export class TrainingDisplay {
  readonly #progress: ProgressLine;
  readonly #log: TrainingLog | undefined;
  #steps = 1;
  #resumedAt = 0;
  #measured = '';

  constructor(progress: ProgressLine, log: TrainingLog | undefined) {
    this.#progress = progress;
    this.#log = log;
  }

  /** What is to come, and how many steps of it were taken before; those take no time now. */
  begin({ steps }: TrainPlan, resumedAt: number): void {
    this.#steps = steps;
    this.#resumedAt = resumedAt;
    this.#progress.update('steps', resumedAt, resumedAt / steps);
  }

  show(event: TrainingEvent): void {
    this.#log?.add(event);
    if (event.type === 'evaluation') {
      const [first] = Object.entries(event.measures);
      this.#measured = first === undefined ? '' : `${first[0]} ${first[1].toFixed(4)} · `;
      return;
    }
    const { step, loss, learningRate } = event;
    if (step <= this.#resumedAt) return;
    // A narrow terminal shows the beginning.
    const note = `loss ${loss.toPrecision(4)} · ${this.#measured}rate ${learningRate.toPrecision(2)}`;
    this.#progress.update('steps', step, step / this.#steps, note);
  }
}

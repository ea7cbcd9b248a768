import type { IngestOptions, IngestProgress } from '../ingest-report.js';

/** Tells how far a stage is, with its rate and the time left. */
export class StageProgress {
  readonly #stage: IngestProgress['stage'];
  readonly #tell: IngestOptions['onProgress'];
  readonly #start = performance.now();

  constructor(stage: IngestProgress['stage'], tell: IngestOptions['onProgress']) {
    this.#stage = stage;
    this.#tell = tell;
  }

  /** @param fraction - share of the stage, 0 to 1, where it is known */
  report(done: number, fraction: number | undefined): void {
    if (this.#tell === undefined) return;
    const seconds = (performance.now() - this.#start) / 1000;
    const perSecond = seconds > 0 ? done / seconds : 0;
    const isKnown = fraction !== undefined && fraction > 0;
    this.#tell({
      stage: this.#stage,
      done,
      ...(fraction !== undefined && { fraction }),
      perSecond,
      ...(isKnown && { secondsLeft: (seconds / fraction) * (1 - fraction) }),
    });
  }
}

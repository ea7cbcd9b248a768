import { describe, expect, it } from 'vitest';
import { ProgressLine } from '../../../src/cli/progress-line.js';
import { TrainingDisplay } from '../../../src/cli/training-display.js';
import type { TrainingLog, TrainPlan } from '../../../src/training/index.js';

describe('the progress of granule train', () => {
  it('shows the steps of this run with loss, measure and rate; the log has those before too', () => {
    const written: string[] = [];
    const logged: unknown[] = [];
    let now = 0;
    const screen = { columns: 120, write: (text: string) => written.push(text.replace('\r\x1b[2K', '')) };
    const log = { add: (event: object) => logged.push(event) } as unknown as TrainingLog;
    const display = new TrainingDisplay(new ProgressLine(screen, true, () => now), log);
    const step = (step: number) =>
      ({
        type: 'step',
        step,
        epoch: 1,
        loss: 0.5,
        learningRate: 1e-3,
        gradientNorm: 1,
        temperature: 1,
      }) as const;
    display.begin({ steps: 8 } as TrainPlan, 2);
    const measures = { recip_rank: 0.25, recall_10: 1 };
    const events = [
      step(1),
      step(2),
      { type: 'evaluation', step: 2, epoch: 1, measures, best: true } as const,
    ];
    now = 500;
    for (const event of events) display.show(event);
    now = 1000;
    display.show(step(3));
    expect(written).toEqual([
      'steps 2 · 25 %',
      'steps 3 · 1.0/s · 37 % · 0:05 left · loss 0.5000 · recip_rank 0.2500 · rate 0.0010',
    ]);
    expect(logged).toEqual([...events, step(3)]);
  });
});

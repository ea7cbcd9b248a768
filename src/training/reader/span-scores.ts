import { matrix } from '../../vectors/matrix.js';
import { checkFloats, checkLength, type Floats } from '../losses/loss-arguments.js';
import type { BackwardOptions, TowerPass } from '../towers/tower-pass.js';

/** The scores of some readings, with what their backward pass needs. */
export class SpanScores {
  /** Per reading, the score of the null answer, then those of its candidates. */
  readonly scores: readonly Float64Array[];
  readonly #candidates: readonly TowerPass[];
  readonly #none: TowerPass;

  /** @internal */
  constructor(lengths: readonly number[], candidates: readonly TowerPass[], none: TowerPass) {
    this.#candidates = candidates;
    this.#none = none;
    let row = 0;
    this.scores = lengths.map((length, reading) => {
      const scores = new Float64Array(1 + length);
      scores[0] = none.outputs.data[reading]!;
      for (let i = 1; i <= length; i++, row++) {
        for (const { outputs } of candidates) scores[i]! += outputs.data[row]!;
      }
      return scores;
    });
  }

  /**
   * Adds dL/dparameter to the gradients of the scorer's parameters. Call it before the next step of the optimiser.
   *
   * @param gradients - dL/ds, as `scores` lie
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, when nothing is added; `ABORTED`, when gradients hold a part: zero them
   */
  async backward(gradients: readonly Floats[], options: Omit<BackwardOptions, 'inputs'> = {}): Promise<void> {
    checkLength(gradients.length, 'gradients', this.scores.length);
    const none = new Float32Array(gradients.length);
    const rows = this.#candidates[0]!.outputs.data.length;
    const candidates = new Float32Array(rows);
    let row = 0;
    for (const [reading, scores] of this.scores.entries()) {
      const gradient = checkFloats(gradients[reading]!, `gradients of reading ${reading}`, scores.length);
      none[reading] = gradient[0]!;
      candidates.set(gradient.subarray(1), row);
      row += gradient.length - 1;
    }
    await Promise.all([
      ...this.#candidates.map((pass) => pass.backward(matrix(candidates, 1), options)),
      this.#none.backward(matrix(none, 1), options),
    ]);
  }
}

// Trains nothing: gives towers as they begin, after some steps that it makes up. For threads, which load the built modules.
import { Tower } from '../../../../dist/esm/training/towers/tower.js';

export class StandInTrainer {
  #fails;

  constructor({ fails }) {
    this.#fails = fails;
  }

  begin() {}

  async train({ seed, stage, before, progress }, signal) {
    if (stage === this.#fails) throw new Error(`stage ${stage} fails`);
    if (this.#fails === 'never ends')
      await new Promise((_, reject) => signal.addEventListener('abort', reject));
    const tower = await Tower.create(
      { kind: 'low-rank', dimension: 4, rank: 1 },
      { seed: `${seed} ${stage}` },
    );
    progress.set([2, 2, 0.5]);
    const values = Object.fromEntries([...tower.parameters].map(([name, { values }]) => [name, values]));
    const query = { shape: tower.shape, values };
    if (before.length !== stage - 1) throw new Error(`stage ${stage} got ${before.length} stages`);
    return { left: { query }, losses: Float64Array.of(seed, stage / 10) };
  }

  facts() {
    const textEncoder = { name: 'n', version: '1', dimension: 4 };
    return { textEncoder, data: 'ab', instructionSet: 'avx2' };
  }
}

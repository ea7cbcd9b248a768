import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { type Parameter, zeroParameter } from './parameter.js';
import { type TowerShape, type TowerTensor, towerTensors } from './tower-shape.js';

/** Where a tower begins: see `Tower.create`. */
export type TowerStart = 'random' | 'identity';

const NUMBERS_PER_LOOK = 4096;

/**
 * The parameters with which a tower begins; see `Tower.create`. Each weight has a stream of random numbers of its own, named after
 * the seed and itself, so that one does not depend on another's size.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `OUT_OF_MEMORY`, `ABORTED`
 */
export async function initialParameters(
  shape: TowerShape,
  seed: number | string,
  start: TowerStart,
  signal: AbortSignal | undefined,
): Promise<Map<string, Parameter>> {
  if (start === 'identity' && !canBeIdentity(shape)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      "start can be 'identity' for a low-rank tower, a residual mlp, and a linear tower whose input is its output",
    );
  }
  const turns = new EventLoopTurns(signal);
  const parameters = new Map<string, Parameter>();
  for (const tensor of towerTensors(shape)) {
    const parameter = zeroParameter(tensor.shape);
    parameters.set(tensor.name, parameter);
    if (tensor.name === 'weight' && start === 'identity') {
      for (let i = 0; i < tensor.shape[0]; i++) parameter.values[i * (tensor.shape[0] + 1)] = 1;
    } else {
      await fill(parameter.values, bound(shape, tensor), new SeededRandom(`${seed}/${tensor.name}`), turns);
    }
  }
  return parameters;
}

function canBeIdentity(shape: TowerShape): boolean {
  if (shape.kind === 'low-rank') return true;
  return shape.kind === 'linear' ? shape.input === shape.output : shape.residual === true;
}

/** Weights are uniform from -bound to bound; 0 leaves zeros. */
function bound(shape: TowerShape, tensor: TowerTensor): number {
  const [to, from] = tensor.shape;
  if (from === undefined || tensor.name === 'up') return 0;
  if (tensor.name === 'down') return Math.sqrt(3 / from);
  if (tensor.name === 'hidden.weight') return Math.sqrt(6 / from);
  if (shape.kind === 'mlp' && shape.residual === true) return 0;
  return Math.sqrt(6 / (from + to));
}

async function fill(
  values: Float32Array,
  most: number,
  random: SeededRandom,
  turns: EventLoopTurns,
): Promise<void> {
  if (most === 0) return;
  for (let first = 0; first < values.length; first += NUMBERS_PER_LOOK) {
    if (turns.over) await turns.pass();
    const end = Math.min(values.length, first + NUMBERS_PER_LOOK);
    for (let i = first; i < end; i++) values[i] = random.uniform(-most, most);
  }
}

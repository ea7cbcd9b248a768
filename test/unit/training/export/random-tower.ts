import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';

/** Numbers from -scale to scale. */
export function randomNumbers(length: number, seed: string, scale = 1): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length }, () => random.uniform(-scale, scale));
}

/** A tower all of whose parameters, biases too, are random. */
export async function randomTower(shape: TowerShape, seed = 'tower'): Promise<Tower> {
  const tower = await Tower.create(shape);
  for (const [name, { values }] of tower.parameters) {
    values.set(randomNumbers(values.length, `${seed}/${name}`, 0.6));
  }
  return tower;
}

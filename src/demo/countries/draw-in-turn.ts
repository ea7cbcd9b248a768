import type { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';

/** So many of some items, of which there must be one: in random order without replacement until all have had their turn, then again. */
export function drawInTurn<T>(items: readonly T[], count: number, random: SeededRandom): T[] {
  const drawn: T[] = [];
  while (drawn.length < count) drawn.push(...shuffled(items, random).slice(0, count - drawn.length));
  return drawn;
}

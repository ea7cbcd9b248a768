import type { SeededRandom } from './seeded-random.js';

/** `items` in a random order, all alike probable: Fisher and Yates' shuffle. */
export function shuffled<T>(items: Iterable<T>, random: SeededRandom): T[] {
  const out = [...items];
  for (let last = out.length - 1; last > 0; last--) {
    const other = random.integer(0, last);
    [out[last], out[other]] = [out[other]!, out[last]!];
  }
  return out;
}

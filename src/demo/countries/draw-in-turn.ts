import type { SeededRandom } from '../../ranking/seeded-random.js';

/** So many of some items, of which there must be one: in random order without replacement until all have had their turn, then again. */
export function drawInTurn<T>(items: readonly T[], count: number, random: SeededRandom): T[] {
  const drawn: T[] = [];
  while (drawn.length < count) {
    const round = [...items];
    for (let i = round.length - 1; i > 0; i--) {
      const j = random.integer(0, i);
      [round[i], round[j]] = [round[j]!, round[i]!];
    }
    drawn.push(...round.slice(0, count - drawn.length));
  }
  return drawn;
}

import { SpanScorer } from '../../training/reader/span-scorer.js';
import { Tower } from '../../training/towers/tower.js';

/** A tower with the same parameters, which learns by itself. */
export function copiedTower({ shape, parameters }: Tower): Tower {
  return Tower.from(
    shape,
    Object.fromEntries([...parameters].map(([name, { values }]) => [name, values.slice()])),
  );
}

/** A span scorer with the same parameters, which learns by itself. */
export function copiedScorer({ shape, values }: SpanScorer): SpanScorer {
  return SpanScorer.from(
    shape,
    Object.fromEntries(Object.entries(values).map(([name, numbers]) => [name, numbers.slice()])),
  );
}

import { CANDIDATE_FEATURES } from '../../../../src/generators/extractive/candidate-features.js';
import type { SpanReading } from '../../../../src/training/reader/span-reading.js';
import type { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import type { Values } from '../towers/slow-tower.js';

/** A scorer's parameters in float64. */
export function valuesOf({ parameters }: Pick<SpanScorer, 'parameters'>): Values {
  return Object.fromEntries([...parameters].map(([name, { values }]) => [name, Float64Array.from(values)]));
}

/** Scores of a reading in float64, the null answer's first: the slow and obvious form of both kinds. */
export function slowSpanScores(values: Values, { features, nullFeatures }: SpanReading): Float64Array {
  const dot = (weights: ArrayLike<number>, x: ArrayLike<number>) =>
    Array.from(x).reduce((sum, value, i) => sum + value * weights[i]!, 0);
  const width = CANDIDATE_FEATURES.length;
  const scores = [dot(values['none.weight']!, nullFeatures)];
  for (let from = 0; from < features.length; from += width) {
    const x = features.subarray(from, from + width);
    let score = dot(values['candidate.weight']!, x);
    const bias = values['hidden.hidden.bias'];
    if (bias !== undefined) {
      const hidden = Array.from(bias, (b, j) =>
        Math.max(0, b + dot(values['hidden.hidden.weight']!.subarray(j * width, (j + 1) * width), x)),
      );
      score += dot(values['hidden.output.weight']!, hidden) + values['hidden.output.bias']![0]!;
    }
    scores.push(score);
  }
  return Float64Array.from(scores);
}

import { GranuleError } from '../../errors.js';
import { normaliseAnswer } from '../../generators/normalise-answer.js';
import { withDefaults } from '../option-checks.js';
import { pseudoRelevance } from '../pseudo-relevance.js';

/** How an answer is held against gold answers of several levels. */
export interface GranularityOptions {
  /**
   * Whether an answer means the gold answer; default `'equal'`: equal after `normaliseAnswer`. `'contained'`: the gold answer stands in
   * the answer at word boundaries, so that whole sentences count, and long answers that name everything too. Or a judge of one's own.
   */
  readonly matches?: 'equal' | 'contained' | ((answer: string, gold: string) => boolean);
  /** The weight of a level, counted from 1 for the most specific; default `exponentialWeight(1)`. */
  readonly weight?: (level: number) => number;
}

/** What one answer is worth. */
export interface GranularityScores {
  /** 1 where the answer matches a gold answer of any level, else 0. */
  readonly accuracy: number;
  /** The weight of the most specific level that matches; 0 where none does. */
  readonly informativeness: number;
  /** The most specific level that matches, from 1; undefined where none does. */
  readonly level: number | undefined;
  /** Whether no answer was given, which scores 0. */
  readonly isAbstention: boolean;
}

/** Means over questions, abstentions included as 0. */
export interface GranularitySummary {
  readonly questions: number;
  readonly abstentions: number;
  readonly accuracy: number;
  readonly informativeness: number;
}

/**
 * GRANOLA accuracy and informativeness of one answer: a question has gold answers from most specific to coarsest, and an answer is right
 * at whichever level it matches, but worth the more the finer that level is.
 *
 * Source: "Narrowing the Knowledge Evaluation Gap: Open-Domain Question Answering with Multi-Granularity Answers" (2024). Its weights
 * could not be checked against the paper, so state the weight function beside results. O(levels) matches.
 *
 * @param answer - `null` where the system abstained
 * @param levels - accepted answers of each level, the most specific level first; each level has one or more
 * @throws GranuleError `INVALID_ARGUMENT` where a level is empty or there is none, for a weight that is not finite, negative, or greater
 *   than that of the level before it, and for unknown options
 */
export function granularityScores(
  answer: string | null,
  levels: readonly (readonly string[])[],
  options: GranularityOptions = {},
): GranularityScores {
  const { matches, weight } = withDefaults<Required<GranularityOptions>>(
    options,
    { matches: 'equal', weight: exponentialWeight(1) },
    'granularityScores',
  );
  if (levels.length === 0 || levels.some((accepted) => accepted.length === 0)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      'a question needs at least one level, and each level an answer',
    );
  }
  const weights = checkedWeights(levels.length, weight);
  const isAbstention = answer === null;
  const isMatch = matcher(matches);
  const place = isAbstention
    ? -1
    : levels.findIndex((accepted) => accepted.some((gold) => isMatch(answer, gold)));
  if (place === -1) return { accuracy: 0, informativeness: 0, level: undefined, isAbstention };
  return { accuracy: 1, informativeness: weights[place]!, level: place + 1, isAbstention };
}

/**
 * exp(-rate (level - 1)): 1 for the most specific level, less for each coarser one.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a rate below 0
 */
export function exponentialWeight(rate: number): (level: number) => number {
  if (!(rate >= 0 && Number.isFinite(rate))) {
    throw new GranuleError('INVALID_ARGUMENT', `the rate must be a number of at least 0, got ${rate}`, {
      rate,
    });
  }
  return (level) => Math.exp(-rate * (level - 1));
}

/**
 * Means over all questions; an abstention counts as 0 and is also counted by itself.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where there is no question
 */
export function summariseGranularity(scores: readonly GranularityScores[]): GranularitySummary {
  const questions = scores.length;
  if (questions === 0) throw new GranuleError('INVALID_ARGUMENT', 'there is no question to take a mean over');
  const mean = (of: (score: GranularityScores) => number) =>
    scores.reduce((sum, score) => sum + of(score), 0) / questions;
  return {
    questions,
    abstentions: scores.filter(({ isAbstention }) => isAbstention).length,
    accuracy: mean(({ accuracy }) => accuracy),
    informativeness: mean(({ informativeness }) => informativeness),
  };
}

function matcher(
  matches: Required<GranularityOptions>['matches'],
): (answer: string, gold: string) => boolean {
  if (typeof matches === 'function') return matches;
  switch (matches) {
    case 'equal':
      return (answer, gold) => {
        const wanted = normaliseAnswer(gold);
        return wanted !== '' && normaliseAnswer(answer) === wanted;
      };
    case 'contained':
      return (answer, gold) => pseudoRelevance(answer, [gold]) !== 'none';
    default:
      throw new GranuleError('INVALID_ARGUMENT', `answers cannot match by ${String(matches)}`, {
        matches: String(matches),
      });
  }
}

function checkedWeights(levels: number, weight: (level: number) => number): number[] {
  const weights = Array.from({ length: levels }, (_, i) => weight(i + 1));
  for (const [i, value] of weights.entries()) {
    if (!(value >= 0 && value <= (weights[i - 1] ?? Number.MAX_VALUE))) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `the weight of level ${i + 1} is ${value}; weights must be finite, at least 0, and never rise`,
        { level: i + 1 },
      );
    }
  }
  return weights;
}

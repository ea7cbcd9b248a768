import { GranuleError } from '../errors.js';
import { normaliseAnswer } from '../generators/normalise-answer.js';

/** Scores of one answer, from 0 to 1. */
export interface AnswerScores {
  readonly exactMatch: number;
  readonly f1: number;
}

/**
 * Compares an answer with its accepted answers after `normaliseAnswer`: exact match is 1 where the two are equal; F1 is
 * 2PR/(P+R) of the multisets of tokens, and 0 without a common token. Each is the largest over the accepted answers.
 *
 * Where both normalise to nothing, exact match is 1 and F1 is 0. No answer (`null`) counts as the empty answer.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where no answer is accepted
 */
export function answerScores(answer: string | null, accepted: readonly string[]): AnswerScores {
  if (accepted.length === 0)
    throw new GranuleError('INVALID_ARGUMENT', 'a question needs at least one accepted answer');
  const given = normaliseAnswer(answer ?? '');
  let exactMatch = 0;
  let f1 = 0;
  for (const gold of accepted.map(normaliseAnswer)) {
    if (gold === given) exactMatch = 1;
    f1 = Math.max(f1, tokenF1(given, gold));
  }
  return { exactMatch, f1 };
}

function tokenF1(given: string, gold: string): number {
  const givenTokens = given.split(' ').filter((token) => token !== '');
  const goldTokens = gold.split(' ').filter((token) => token !== '');
  const remaining = new Map<string, number>();
  for (const token of goldTokens) remaining.set(token, (remaining.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of givenTokens) {
    const left = remaining.get(token) ?? 0;
    if (left === 0) continue;
    remaining.set(token, left - 1);
    common += 1;
  }
  if (common === 0) return 0;
  const precision = common / givenTokens.length;
  const recall = common / goldTokens.length;
  return (2 * precision * recall) / (precision + recall);
}

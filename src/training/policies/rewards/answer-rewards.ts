import { GranuleError } from '../../../errors.js';
import { type AnswerScores, answerScores } from '../../../evaluation/answer-metrics.js';
import type { Action } from './reward.js';

/**
 * 1 where the answer equals one of the question's accepted answers after normalisation, else 0: `exactMatch` of `answerScores`.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where no answer was asked for, or the question has no accepted ones
 */
export function exactMatchReward(action: Action): number {
  return scoresOf(action).exactMatch;
}

/**
 * F1 of the answer's tokens and the best accepted answer's: `f1` of `answerScores`.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where no answer was asked for, or the question has no accepted ones
 */
export function answerF1Reward(action: Action): number {
  return scoresOf(action).f1;
}

function scoresOf({ answer, question: { id, answers } }: Action): AnswerScores {
  if (answer === undefined || answers === undefined) {
    const lacks = answer === undefined ? 'was not answered' : 'has no accepted answers';
    throw new GranuleError('INVALID_ARGUMENT', `question ${id} ${lacks}: nothing to reward`, { id });
  }
  return answerScores(answer, answers);
}

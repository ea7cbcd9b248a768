import { GranuleError } from '../../errors.js';
import { ASCII_PUNCTUATION, harmonicMean, isArticle, wordsOf } from './answer-tokens.js';
import { isNumeral, valueOfNumberWord } from './english-numbers.js';
import { optimalAssignment } from './optimal-assignment.js';

/** Scores of one list of answers, from 0 to 1. */
export interface ListScores {
  readonly exactMatch: number;
  /** Rounded to two decimals, half to even, as it is published. */
  readonly f1: number;
}

/**
 * MultimodalQA's list EM and list F1.
 *
 * Spans are compared after `listSpan`. Exact match is 1 where the two lists have the same set of spans and the same length (so `[x, x,
 * y]` matches `[x, y, y]`). F1 pairs gold and predicted spans one to one so that the sum of the pairs' F1 is greatest, and divides it by the
 * longer list's length; a pair's F1 is that of the sets of tokens, and 0 where the gold span has numbers and none is in the predicted one.
 * An empty set of tokens has precision, or recall, 1. O(min^2 max) for the pairing.
 *
 * Source: "MultiModalQA: Complex Question Answering over Text, Tables and Images" (2021), after "DROP: A Reading Comprehension
 * Benchmark Requiring Discrete Reasoning Over Paragraphs" (2019). Its script reads the word "point" as the number 0 too; here it is a word.
 *
 * @param predicted - the answers that were given; none score 0
 * @throws GranuleError `INVALID_ARGUMENT` where there is no gold answer
 */
export function listScores(predicted: readonly string[], gold: readonly string[]): ListScores {
  if (gold.length === 0)
    throw new GranuleError('INVALID_ARGUMENT', 'a question needs at least one gold answer');
  const given = predicted.map(listSpan);
  const wanted = gold.map(listSpan);
  const isSameSet =
    given.length === wanted.length &&
    given.every((span) => wanted.includes(span)) &&
    wanted.every((span) => given.includes(span));
  return {
    exactMatch: isSameSet ? 1 : 0,
    f1: roundedToHundredths(alignedF1(given.map(bag), wanted.map(bag))),
  };
}

/**
 * A span in the form in which list answers are compared: cut at spaces and hyphens; each token in lower case and, unless it is a number,
 * without ASCII punctuation; numbers and number words as numbers (`5`, `5.0` and `five` are equal); without articles.
 */
export function listSpan(span: string): string {
  return span
    .split(/[ -]/)
    .flatMap((token) => wordsOf(normaliseToken(token.toLowerCase().trim())))
    .join(' ');
}

function normaliseToken(token: string): string {
  const bare = isNumeral(token) ? token : token.replace(ASCII_PUNCTUATION, '');
  if (isNumeral(bare)) return String(Number(bare));
  return String(
    valueOfNumberWord(bare) ??
      wordsOf(bare)
        .filter((word) => !isArticle(word))
        .join(' '),
  );
}

function bag(span: string): Set<string> {
  return new Set(wordsOf(span));
}

function alignedF1(given: readonly Set<string>[], wanted: readonly Set<string>[]): number {
  const scores = new Float64Array(wanted.length * given.length);
  for (const [row, gold] of wanted.entries()) {
    for (const [column, predicted] of given.entries())
      scores[row * given.length + column] = pairF1(predicted, gold);
  }
  let sum = 0;
  for (const [row, column] of optimalAssignment(scores, wanted.length, given.length).entries()) {
    if (column !== -1) sum += scores[row * given.length + column]!;
  }
  return sum / Math.max(wanted.length, given.length);
}

function pairF1(predicted: ReadonlySet<string>, gold: ReadonlySet<string>): number {
  const numbers = [...gold].filter(isNumeral);
  if (numbers.length > 0 && !numbers.some((number) => predicted.has(number))) return 0;
  const common = [...gold].filter((token) => predicted.has(token)).length;
  return harmonicMean(
    predicted.size === 0 ? 1 : common / predicted.size,
    gold.size === 0 ? 1 : common / gold.size,
  );
}

function roundedToHundredths(value: number): number {
  const scaled = value * 100;
  const below = Math.floor(scaled);
  const isUp = scaled - below > 0.5 || (scaled - below === 0.5 && below % 2 === 1);
  return (isUp ? below + 1 : below) / 100;
}

import { normaliseAnswer } from '../generators/normalise-answer.js';

/** What a passage holds: the original answer, only an alternative one, or none. */
export type PseudoRelevance = 'original' | 'alternative' | 'none';

/**
 * Judges a passage by string match: it is relevant where a normalised answer stands in the normalised passage with no
 * letter, mark, digit or underscore next to it. An answer that normalises to nothing is never found.
 *
 * Such judgements are made on retrieved passages only, so recall-based metrics of them do not compare across systems.
 *
 * @param answers - the original answer first, then the alternatives
 */
export function pseudoRelevance(passage: string, answers: readonly string[]): PseudoRelevance {
  const text = normaliseAnswer(passage);
  const found = answers.findIndex((answer) => holds(text, normaliseAnswer(answer)));
  if (found === -1) return 'none';
  return found === 0 ? 'original' : 'alternative';
}

const WORD_CHARACTER = /[\p{L}\p{M}\p{N}_]/u;

function holds(text: string, answer: string): boolean {
  if (answer === '') return false;
  for (let at = text.indexOf(answer); at !== -1; at = text.indexOf(answer, at + 1)) {
    const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
    const after = String.fromCodePoint(text.codePointAt(at + answer.length) ?? 0x20);
    if (!WORD_CHARACTER.test(before) && !WORD_CHARACTER.test(after)) return true;
  }
  return false;
}

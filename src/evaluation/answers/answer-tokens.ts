/** The punctuation of ASCII, each character of which the evaluation scripts of the field delete. */
export const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;

const ARTICLES = new Set(['a', 'an', 'the']);

/** Whether a word in lower case is an English article. */
export function isArticle(word: string): boolean {
  return ARTICLES.has(word);
}

/** The words of a text, cut at white space. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

/** How many tokens two bags have in common, each as often as in the one that has it less often. */
export function commonTokens(one: readonly string[], other: readonly string[]): number {
  const left = new Map<string, number>();
  for (const token of other) left.set(token, (left.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of one) {
    const count = left.get(token) ?? 0;
    if (count === 0) continue;
    left.set(token, count - 1);
    common += 1;
  }
  return common;
}

/** The harmonic mean of precision and recall; 0 where both are 0. */
export function harmonicMean(precision: number, recall: number): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

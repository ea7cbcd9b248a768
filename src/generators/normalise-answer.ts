const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLES = /(?<![\p{L}\p{M}\p{N}_])(?:a|an|the)(?![\p{L}\p{M}\p{N}_])/gu;

/**
 * An answer in the form in which answers are compared: lower case; every ASCII punctuation character deleted (not
 * replaced: `U.S.` becomes `us`); the whole words `a`, `an`, `the` replaced by a space; white space collapsed. In this
 * order, as in the evaluation of SQuAD. Word boundaries are those of Unicode letters, marks and digits.
 */
export function normaliseAnswer(text: string): string {
  return text
    .toLowerCase()
    .replace(ASCII_PUNCTUATION, '')
    .replace(ARTICLES, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '')
    .join(' ');
}

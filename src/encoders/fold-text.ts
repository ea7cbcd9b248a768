const LATIN_MARKS = /[\u0300-\u036f]/gu;
const WORD = /\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}\p{N}]+(?:['’ʻʼ][\p{L}\p{M}\p{N}]+)*/gu;
const ASCII = /^\p{ASCII}*$/u;
const APOSTROPHE = /['’ʻʼ]/u;
const APOSTROPHES = /['’ʻʼ]/gu;

/**
 * Folds case, compatibility forms and Latin diacritics away, so that `École` and `ECOLE` become one string.
 *
 * NFKD, combining marks U+0300 to U+036F dropped, upper then lower case (which folds `ß` to `ss`), NFC. No locale is
 * consulted. Marks of other scripts, which distinguish words there, are kept.
 */
export function foldText(text: string): string {
  // Most texts, several times faster: of the steps below only the last letter case does something to them.
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize('NFKD').replace(LATIN_MARKS, '').toUpperCase().toLowerCase().normalize('NFC');
}

/**
 * The words of a text, folded: runs of letters, marks and digits. Apostrophes inside a word are dropped after a
 * possessive `'s` is taken off; digits keep the separators between them (`549,087` is one word). Scripts without
 * spaces give one word per run.
 */
export function foldedWords(text: string): string[] {
  const words: string[] = [];
  for (const [match] of foldText(text).matchAll(WORD)) {
    words.push(APOSTROPHE.test(match) ? match.replace(/['’]s$/u, '').replace(APOSTROPHES, '') : match);
  }
  return words;
}

import { foldText } from '../../encoders/fold-text.js';
import { IRREGULAR_FORMS } from './english-words.js';

/**
 * A light English stem, for matching `borders`, `bordering` and `bordered`: case, diacritics and a possessive `'s` are
 * folded away, irregular forms become their base, then one of the endings -ies, -es, -s, -ing, -ed, -ly is taken off
 * where enough of the word remains; a doubled last consonant and a final -e go with it.
 */
export function wordStem(word: string): string {
  const folded = foldText(word)
    .replace(/['’]s$/u, '')
    .replace(/['’]/gu, '');
  const irregular = IRREGULAR_FORMS.get(folded);
  return withoutEnding(irregular ?? folded);
}

function withoutEnding(word: string): string {
  if (word.length < 4 || !/^[a-z-]+$/u.test(word)) return word;
  let stem = word;
  if (stem.endsWith('ies') && stem.length > 4) stem = `${stem.slice(0, -3)}y`;
  else if (/(?:s|x|z|ch|sh)es$/u.test(stem)) stem = stem.slice(0, -2);
  else if (/[^su]s$/u.test(stem)) stem = stem.slice(0, -1);
  if (stem.endsWith('ly') && stem.length > 5) stem = stem.slice(0, -2);
  const suffix = /(?:ing|ed)$/u.exec(stem)?.[0];
  if (
    suffix !== undefined &&
    /[aeiouy]/u.test(stem.slice(0, -suffix.length)) &&
    stem.length - suffix.length >= 3
  ) {
    stem = stem
      .slice(0, -suffix.length)
      .replace(/([^aeioulsz])\1$/u, '$1')
      .replace(/ll$/u, 'l');
  }
  return stem.length > 3 && stem.endsWith('e') ? stem.slice(0, -1) : stem;
}

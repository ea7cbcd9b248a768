import { GranuleError } from '../errors.js';
import snowball from './snowball.cjs';

/** Snowball's algorithms, each named after its language; `porter` is Porter's first one, of 1980, for English. */
export const STEMMERS = [
  'arabic',
  'armenian',
  'basque',
  'catalan',
  'czech',
  'danish',
  'dutch',
  'english',
  'finnish',
  'french',
  'german',
  'hungarian',
  'irish',
  'italian',
  'norwegian',
  'porter',
  'portuguese',
  'romanian',
  'russian',
  'slovene',
  'spanish',
  'swedish',
  'tamil',
  'turkish',
] as const;

/** A name of {@link STEMMERS}. */
export type StemmerName = (typeof STEMMERS)[number];

/** Gives the stem of a word in lower case. */
export type Stemmer = (word: string) => string;

/** Words repeat; this many stems are kept before they are forgotten and found anew. */
const MOST_KEPT = 1 << 16;

/**
 * Snowball's stemmer for a language: `consistency` and `consisting` give `consist`. Stems are keys for comparing, not words.
 *
 * M. F. Porter, *An algorithm for suffix stripping*, 1980, and *Snowball: a language for stemming algorithms*, 2001.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a name that is none of {@link STEMMERS}
 */
export function stemmer(name: StemmerName): Stemmer {
  if (!STEMMERS.includes(name)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `there is no stemmer ${String(name)}; there are ${STEMMERS.join(', ')}`,
    );
  }
  const algorithm = snowball().newStemmer(name);
  const stems = new Map<string, string>();
  return (word) => {
    const known = stems.get(word);
    if (known !== undefined) return known;
    const stem = algorithm.stem(word);
    if (stems.size === MOST_KEPT) stems.clear();
    stems.set(word, stem);
    return stem;
  };
}

import { GranuleError } from '../errors.js';

/** Cuts a text into tokens, in their order. */
export type Tokenizer = (text: string) => string[];

/** A tokenizer of the caller's own, under the name by which an index recognises it. */
export interface NamedTokenizer {
  /** Change it whenever the tokens change. */
  readonly name: string;
  readonly tokenize: Tokenizer;
}

const RUNS = /[\p{L}\p{M}\p{N}]+/gu;

/** Where no word goes on. */
const BREAK = /[\s\u3001\u3002]/gu;
/** Each segment takes ICU a time in proportion to the whole string, so a text is handed over in pieces of about so many code units. */
const PIECE = 512;

/** NFKC, then lower case without regard to a locale: what both tokenizers do first. */
export function normaliseText(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/**
 * Maximal runs of letters, marks and digits of the normalised text (NFKC, lower case).
 *
 * Hyphens, apostrophes and decimal points part tokens: `don't` gives `don`, `t`; `3.5` gives `3`, `5`; `boundary-layer` gives
 * two. A script without spaces gives one token per run, so use {@link segmentTokens} there. It reads the characters' Unicode
 * properties only, which do not change once a character is assigned: the same tokens on every version of Node.
 *
 * Linear in the text's length.
 */
export function plainTokens(text: string): string[] {
  return normaliseText(text).match(RUNS) ?? [];
}

/**
 * A tokenizer that gives the word-like segments of the normalised text (NFKC, lower case) as `Intl.Segmenter` finds them: the
 * word boundaries of Unicode Standard Annex 29, and dictionaries for Chinese, Japanese, Thai, Lao, Khmer and Burmese.
 *
 * `don't` stays one token, and so does `3.5`; `boundary-layer` gives two. The dictionaries and some boundaries are those of the
 * ICU library in Node, and change between its versions (`process.versions.icu`): texts in those scripts must be indexed and
 * searched with one version. Some thirty times slower than {@link plainTokens}.
 *
 * @param locale - BCP 47 tag, such as `ja`
 * @throws GranuleError `INVALID_ARGUMENT` for what is no such tag
 */
export function segmentTokens(locale = 'en'): Tokenizer {
  const segmenter = segmenterOf(locale);
  return (text) => {
    const tokens: string[] = [];
    for (const piece of piecesOf(normaliseText(text))) {
      for (const { segment, isWordLike } of segmenter.segment(piece)) {
        if (isWordLike) tokens.push(segment);
      }
    }
    return tokens;
  };
}

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    BREAK.lastIndex = start + PIECE;
    const end = BREAK.test(text) ? BREAK.lastIndex : text.length;
    yield text.slice(start, end);
    start = end;
  }
}

function segmenterOf(locale: string): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale, { granularity: 'word' });
  } catch (cause) {
    throw new GranuleError('INVALID_ARGUMENT', `'${locale}' is not a BCP 47 tag`, { locale }, { cause });
  }
}

import { GranuleError } from '../../errors.js';
import { withDefaults } from '../option-checks.js';
import { ASCII_PUNCTUATION, commonTokens, harmonicMean, isArticle, wordsOf } from './answer-tokens.js';
import { valueOfNumberWord } from './english-numbers.js';
import { COLOURS, SHAPES } from './webqa-vocabularies.js';

/** WebQA's kinds of questions, as far as they are scored differently; `text` stands for `choose` and `Others` too. */
export type WebQaCategory = 'color' | 'shape' | 'YesNo' | 'number' | 'text';

/** How words are compared. */
export interface WebQaOptions {
  /** Brings a word in lower case into its base form; default `withoutPlural`. The published scores are made with spaCy's lemmas. */
  readonly lemmatise?: (word: string) => string;
  /** The words that count in an answer about a colour; default `COLOURS`. */
  readonly colours?: readonly string[];
  /** The words that count in an answer about a shape; default `SHAPES`. */
  readonly shapes?: readonly string[];
}

/** What WebQA measures of one answer. */
export interface WebQaScores {
  /** QA-Acc, from 0 to 1. */
  readonly accuracy: number;
  /** QA-FL, the fluency, is the likelihood that one particular language model gives the answer: it is not computed. */
  readonly fluency: 'not computed';
}

/**
 * WebQA's QA-Acc of one answer: the categories color, shape and YesNo compare only words of a closed vocabulary, number only
 * whole numbers, each by F1 = 2PR/(P+R) of the bags; text is scored by the recall of the gold answer's words, |common| / |gold|.
 *
 * Words are lower case, without ASCII punctuation (points within numbers stay), without articles, number words as digits and in
 * their base form. A single character stays as it is, a single word may be an article. Without a common word the score is 0. O(words).
 *
 * The lemmas and the vocabularies are substitutes for the published ones, so scores are comparable among runs that are measured
 * here, not with those of the leaderboard.
 *
 * Source: "WebQA: Multihop and Multimodal QA" (2022).
 *
 * @param answer - `null` counts as the empty answer
 * @throws GranuleError `INVALID_ARGUMENT` for an unknown category or option
 */
export function webQaScores(
  answer: string | null,
  gold: string,
  category: WebQaCategory,
  options: WebQaOptions = {},
): WebQaScores {
  const { lemmatise, colours, shapes } = withDefaults<Required<WebQaOptions>>(
    options,
    { lemmatise: withoutPlural, colours: COLOURS, shapes: SHAPES },
    'webQaScores',
  );
  const given = webQaTokens(answer ?? '', lemmatise);
  const wanted = webQaTokens(gold, lemmatise);
  const within = (words: readonly string[]) => {
    const known = new Set(words.map(lemmatise));
    const chosen = (tokens: readonly string[]) => [...new Set(tokens.filter((token) => known.has(token)))];
    return bagF1(chosen(given), chosen(wanted));
  };
  return { accuracy: accuracyOf(), fluency: 'not computed' };

  function accuracyOf(): number {
    switch (category) {
      case 'color':
        return within(colours);
      case 'shape':
        return within(shapes);
      case 'YesNo':
        return within(['yes', 'no']);
      case 'number':
        return bagF1(wholeNumbers(given), wholeNumbers(wanted));
      case 'text':
        return wanted.length === 0 ? 0 : commonTokens(given, wanted) / wanted.length;
      default:
        throw new GranuleError('INVALID_ARGUMENT', `WebQA has no category ${String(category)}`, {
          category: String(category),
        });
    }
  }
}

/** The words of an answer in the form in which WebQA compares them. */
export function webQaTokens(text: string, lemmatise: (word: string) => string): string[] {
  const lower = text.trim().toLowerCase();
  if ([...lower].length <= 1) return wordsOf(lower);
  const words = wordsOf(lower.replace(ASCII_PUNCTUATION, (mark) => (mark === '.' ? '.' : ''))).map((word) =>
    word.replace(/\.(?!\d)/g, ''),
  );
  const isSingleWord = wordsOf(lower).length === 1;
  return words
    .filter((word) => word !== '' && (isSingleWord || !isArticle(word)))
    .map((word) => String(valueOfNumberWord(word) ?? word))
    .map(lemmatise);
}

/**
 * An English plural in its singular, by three suffixes, the first of which that fits counts: -ies (not -eies, -aies) to -y, -es (not
 * -aes, -ees, -oes) to -e, -s (not -us, -ss) to nothing. Words of three letters and less stay.
 *
 * Source: "How Effective Is Suffixing?" (1991), its S stemmer.
 */
export function withoutPlural(word: string): string {
  if (word.length <= 3) return word;
  if (/(?<![ea])ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?<![aeo])es$/.test(word)) return word.slice(0, -1);
  return /(?<![us])s$/.test(word) ? word.slice(0, -1) : word;
}

function wholeNumbers(tokens: readonly string[]): string[] {
  return tokens.filter((token) => /^\d+$/.test(token)).map((token) => token.replace(/^0+(?=\d)/, ''));
}

function bagF1(given: readonly string[], wanted: readonly string[]): number {
  const common = commonTokens(given, wanted);
  return common === 0 ? 0 : harmonicMean(common / given.length, common / wanted.length);
}

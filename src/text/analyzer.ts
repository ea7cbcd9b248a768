import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import type { AnalyzerDescription } from './analyzer-description.js';
import { STEMMERS, type StemmerName, stemmer } from './stemmer.js';
import { STOP_WORDS } from './stop-words.js';
import {
  type NamedTokenizer,
  normaliseText,
  plainTokens,
  segmentTokens,
  type Tokenizer,
} from './tokenizer.js';

/** Options of {@link analyzer}. */
export interface AnalyzerOptions {
  /** ISO 639-1 code of the texts' language; `en` by default. It decides the defaults below, and the locale of segments. */
  readonly language?: string | undefined;
  /** `plain`, the default ({@link plainTokens}), `segments` ({@link segmentTokens}), or one of the caller's own. */
  readonly tokenizer?: 'plain' | 'segments' | NamedTokenizer | undefined;
  /** Words that are left out: those of {@link STOP_WORDS}, none, or a list. By default those of the language, where there are any. */
  readonly stopWords?: boolean | readonly string[] | undefined;
  /** The language's Snowball stemmer, none, or one by name. By default that of the language, where there is one. */
  readonly stemming?: boolean | StemmerName | undefined;
}

/** A text's terms, in their order and with repeats. */
export interface Analyzer {
  (text: string): string[];
  readonly description: AnalyzerDescription;
}

/** Snowball's stemmers by ISO 639-1 code. */
const STEMMERS_BY_LANGUAGE: Readonly<Record<string, StemmerName>> = {
  ar: 'arabic',
  ca: 'catalan',
  cs: 'czech',
  da: 'danish',
  de: 'german',
  en: 'english',
  es: 'spanish',
  eu: 'basque',
  fi: 'finnish',
  fr: 'french',
  ga: 'irish',
  hu: 'hungarian',
  hy: 'armenian',
  it: 'italian',
  nl: 'dutch',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sl: 'slovene',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
};

/**
 * Makes the function that turns texts into terms, for documents and queries alike: tokens of the normalised text (NFKC, lower
 * case), without stop words, each stemmed.
 *
 * @example
 * ```ts
 * analyzer()('The boundary layers of a wing'); // ['boundari', 'layer', 'wing']
 * ```
 * @throws GranuleError `INVALID_ARGUMENT`, also where stop words or stemming are asked for and the language has none here
 */
export function analyzer(options: AnalyzerOptions = {}): Analyzer {
  checkKeys(options, ['language', 'tokenizer', 'stopWords', 'stemming']);
  const { language = 'en', tokenizer = 'plain' } = options;
  return make(tokenizerOf(tokenizer, language), {
    stopWords: stopWordsOf(options.stopWords, language),
    stemming: stemmingOf(options.stemming, language),
  });
}

/**
 * The analyzer of a description, such as an index on disk keeps.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where the tokenizer is the caller's own, which only the caller can give
 */
export function analyzerFrom({ tokenizer, stopWords, stemming }: AnalyzerDescription): Analyzer {
  const [kind, locale] = tokenizer.split(':', 2);
  if (kind === 'own') {
    throw new GranuleError('INVALID_ARGUMENT', `pass the analyzer, whose tokenizer is ${tokenizer.slice(4)}`);
  }
  const tokenizers = tokenizerOf(kind as 'plain' | 'segments', locale ?? 'en');
  return make(tokenizers, { stopWords, stemming });
}

function make(
  { name, tokenize }: NamedTokenizer,
  { stopWords, stemming }: Omit<AnalyzerDescription, 'tokenizer'>,
): Analyzer {
  const dropped = new Set(stopWords);
  const stem = stemming === null ? (word: string) => word : stemmer(stemming);
  const analyze = (text: string): string[] => {
    const terms: string[] = [];
    for (const token of tokenize(text)) if (!dropped.has(token)) terms.push(stem(token));
    return terms;
  };
  return Object.assign(analyze, { description: { tokenizer: name, stopWords, stemming } });
}

function tokenizerOf(tokenizer: 'plain' | 'segments' | NamedTokenizer, language: string): NamedTokenizer {
  if (tokenizer === 'plain') return { name: tokenizer, tokenize: plainTokens };
  if (tokenizer === 'segments') return { name: `segments:${language}`, tokenize: segmentTokens(language) };
  const { name, tokenize } = (tokenizer ?? {}) as { name: unknown; tokenize: unknown };
  if (typeof name === 'string' && name !== '' && typeof tokenize === 'function') {
    return { name: `own:${name}`, tokenize: tokenize as Tokenizer };
  }
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `tokenizer must be 'plain', 'segments', or { name, tokenize }, got ${show(tokenizer)}`,
  );
}

function stopWordsOf(stopWords: AnalyzerOptions['stopWords'], language: string): readonly string[] {
  if (stopWords === false) return [];
  if (stopWords === undefined || stopWords === true) {
    const known = Object.hasOwn(STOP_WORDS, language) ? STOP_WORDS[language]! : undefined;
    if (known !== undefined) return ascending(known);
    if (stopWords === undefined) return [];
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `there are no stop words for ${show(language)}, only for ${Object.keys(STOP_WORDS).join(', ')}; pass a list`,
    );
  }
  if (!Array.isArray(stopWords) || !stopWords.every((word) => typeof word === 'string')) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `stopWords must be true, false or a list of words, got ${show(stopWords)}`,
    );
  }
  return ascending(stopWords.map(normaliseText));
}

function stemmingOf(stemming: AnalyzerOptions['stemming'], language: string): StemmerName | null {
  if (stemming === false) return null;
  if (stemming === undefined || stemming === true) {
    const known = Object.hasOwn(STEMMERS_BY_LANGUAGE, language) ? STEMMERS_BY_LANGUAGE[language]! : null;
    if (known !== null || stemming === undefined) return known;
    throw new GranuleError('INVALID_ARGUMENT', `there is no stemmer for ${show(language)}`);
  }
  if (STEMMERS.includes(stemming)) return stemming;
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `there is no stemmer ${show(stemming)}; there are ${STEMMERS.join(', ')}`,
  );
}

function ascending(words: readonly string[]): readonly string[] {
  return [...new Set(words)].sort();
}

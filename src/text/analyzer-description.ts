import { STEMMERS, type StemmerName } from './stemmer.js';

/** All that decides what an analyzer gives, as plain data. */
export interface AnalyzerDescription {
  /** `plain`, `segments:` and a locale, or `own:` and a name. */
  readonly tokenizer: string;
  /** Ascending by code unit. */
  readonly stopWords: readonly string[];
  readonly stemming: StemmerName | null;
}

/** Whether two analyzers give the same terms for every text, as far as their descriptions tell. */
export function sameAnalyzer(a: AnalyzerDescription, b: AnalyzerDescription): boolean {
  return (
    a.tokenizer === b.tokenizer &&
    a.stemming === b.stemming &&
    a.stopWords.length === b.stopWords.length &&
    a.stopWords.every((word, i) => word === b.stopWords[i])
  );
}

/** Whether a value, such as one read from a file, is a description. */
export function isAnalyzerDescription(value: unknown): value is AnalyzerDescription {
  const { tokenizer, stopWords, stemming } = Object(value) as Record<string, unknown>;
  return (
    typeof tokenizer === 'string' &&
    /^(?:plain$|segments:.|own:.)/u.test(tokenizer) &&
    Array.isArray(stopWords) &&
    stopWords.every((word) => typeof word === 'string') &&
    (stemming === null || STEMMERS.includes(stemming as StemmerName))
  );
}

import { GranuleError } from '../../errors.js';
import { withDefaults } from '../option-checks.js';

/** What a query's answer must rest on, by keywords instead of ids of passages, so that it survives another way of cutting documents. */
export interface QueryKeywords {
  /** Words of the topic: a chunk counts only where it holds one of them. */
  readonly coarse: readonly string[];
  /** For each point of information that is needed, the words that show it is there. */
  readonly fine: readonly (readonly string[])[];
}

/** How texts are compared. */
export interface KeywordOptions {
  /**
   * Whether words and chunks stay apart when texts are cleaned; default false, as published: all that is no letter, mark, digit or
   * underscore is removed, white space too, and chunks are put together without anything between them. Then `car pet` holds `carpet`, and so do two
   * chunks of which one ends in `car` and the next begins with `pet`. Where true, neither does; `U.S.` and `US` are then different too.
   */
  readonly keepApart?: boolean;
}

/** How much of what a query needs is in some chunks. */
export interface KeywordCoverage {
  /** Points of information all of whose keywords are there / points. */
  readonly recall: number;
  /** 1 where no keyword of any point is missing, else 0. */
  readonly accuracy: number;
  readonly missing: readonly string[];
}

/**
 * CoFE-RAG's recall and accuracy of chunks for one query: T is the text of those chunks that hold at least one coarse keyword; a point of
 * information is covered where all its fine keywords are parts of T. Case does not count. O(|T| keywords).
 *
 * Source: "CoFE-RAG: A Comprehensive Full-chain Evaluation Framework for Retrieval-Augmented Generation with Enhanced Data Diversity" (2024).
 *
 * @throws GranuleError `INVALID_ARGUMENT` where a query has no coarse keyword, no point of information, or a keyword without a letter or digit
 */
export function keywordCoverage(
  keywords: QueryKeywords,
  chunks: readonly string[],
  options: KeywordOptions = {},
): KeywordCoverage {
  const { keepApart } = withDefaults<Required<KeywordOptions>>(
    options,
    { keepApart: false },
    'keywordCoverage',
  );
  const clean = keepApart ? cleanWords : cleanText;
  const { coarse, fine } = checked(keywords, clean);
  const text = chunks
    .map(clean)
    .filter((chunk) => coarse.some((keyword) => chunk.includes(keyword)))
    .join(keepApart ? '\n' : '');
  const missing = fine.map((point) => point.filter(({ cleaned }) => !text.includes(cleaned)));
  return {
    recall: missing.filter((point) => point.length === 0).length / fine.length,
    accuracy: missing.every((point) => point.length === 0) ? 1 : 0,
    missing: missing.flat().map(({ keyword }) => keyword),
  };
}

/** Where a query's information is found first: in the chunks that the answer is made from, in all that were retrieved, in the corpus, nowhere. */
export type FoundAt = 'top' | 'retrieved' | 'corpus' | 'nowhere';

/** One query with what each stage had before it. */
export interface StagedQuery {
  readonly keywords: QueryKeywords;
  /** What was retrieved and ranked, best first. */
  readonly retrieved: readonly string[];
  /** The corpus' chunks; those without a coarse keyword do not matter, so a search for these words will do. */
  readonly corpus: readonly string[];
}

/** How the stages lose information. */
export interface StageLosses {
  /** Where each query's information was found first. */
  readonly foundAt: readonly FoundAt[];
  /** The shares of queries that are answered at a stage or an earlier one: top <= retrieved <= corpus <= 1. */
  readonly cumulative: { readonly top: number; readonly retrieved: number; readonly corpus: number };
}

/** Which chunks the answer is made from, and how texts are compared. */
export interface StageOptions extends KeywordOptions {
  /** How many of the best chunks the answer is made from; default 4. */
  readonly k?: number;
}

/**
 * CoFE-RAG's cascade: each query counts at the first stage whose chunks cover all of its keywords (`accuracy` 1). What falls from `top` to
 * `retrieved` was lost by the ranking, from there to `corpus` by retrieval, and beyond that by the parsing of documents.
 *
 * Coarse keywords admit chunks at every stage; the published script lets nearly every chunk of the corpus pass at the last one.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where there is no query, and as `keywordCoverage`; `K_OUT_OF_RANGE`
 */
export function stageLosses(queries: readonly StagedQuery[], options: StageOptions = {}): StageLosses {
  const { k, keepApart } = withDefaults<Required<StageOptions>>(
    options,
    { k: 4, keepApart: false },
    'stageLosses',
  );
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
  if (queries.length === 0)
    throw new GranuleError('INVALID_ARGUMENT', 'there is no query to take a share of');
  const foundAt = queries.map(({ keywords, retrieved, corpus }): FoundAt => {
    const isCovered = (chunks: readonly string[]) =>
      keywordCoverage(keywords, chunks, { keepApart }).accuracy === 1;
    if (isCovered(retrieved.slice(0, k))) return 'top';
    if (isCovered(retrieved)) return 'retrieved';
    return isCovered(corpus) ? 'corpus' : 'nowhere';
  });
  const share = (...stages: FoundAt[]) =>
    foundAt.filter((stage) => stages.includes(stage)).length / queries.length;
  return {
    foundAt,
    cumulative: {
      top: share('top'),
      retrieved: share('top', 'retrieved'),
      corpus: share('top', 'retrieved', 'corpus'),
    },
  };
}

const OTHER_CHARACTERS = /[^\p{L}\p{M}\p{N}_]+/gu;
/** White space beside a script that writes words without spaces between them is no border of a word. */
const SPACE_BESIDE_IDEOGRAPH =
  /(?<=[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]) | (?=[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}])/gu;

function cleanText(text: string): string {
  return text.toLowerCase().replace(OTHER_CHARACTERS, '');
}

function cleanWords(text: string): string {
  return text.toLowerCase().replace(OTHER_CHARACTERS, ' ').trim().replace(SPACE_BESIDE_IDEOGRAPH, '');
}

function checked({ coarse, fine }: QueryKeywords, clean: (text: string) => string) {
  if (coarse.length === 0 || fine.length === 0 || fine.some((point) => point.length === 0)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      'a query needs a coarse keyword and a point of information, and each point a keyword',
    );
  }
  const cleaned = (keyword: string) => {
    const text = clean(keyword);
    if (text !== '') return text;
    throw new GranuleError('INVALID_ARGUMENT', `keyword ${JSON.stringify(keyword)} has no letter or digit`, {
      keyword,
    });
  };
  return {
    coarse: coarse.map(cleaned),
    fine: fine.map((point) => point.map((keyword) => ({ keyword, cleaned: cleaned(keyword) }))),
  };
}

import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import type { Saturation } from '../index/sparse-options.js';

/** Which inverse document frequency; see {@link inverseDocumentFrequency}. */
export type IdfKind = keyof typeof FORMULAS;

/** BM25's parameters. */
export interface Bm25Parameters {
  /**
   * Saturation of the term frequency, finite and at least 0: 0 counts a term once however often it comes. Default 0.9, as in Anserini; the
   * classic value is 1.2.
   */
  readonly k1: number;
  /** How far a text's length is corrected for, 0 (not at all) to 1. Default 0.4, as in Anserini; the classic value is 0.75. */
  readonly b: number;
  /** Default `lucene`. */
  readonly idf: IdfKind;
}

/** The parameters that hold where none are given. */
export const BM25_DEFAULTS: Bm25Parameters = { k1: 0.9, b: 0.4, idf: 'lucene' };

const FORMULAS = {
  lucene: (odds: number) => Math.log(1 + odds),
  classic: (odds: number) => Math.log(odds),
  'classic-floored': (odds: number) => Math.max(0, Math.log(odds)),
} as const;

/**
 * How much a term of a query counts, by the number of rows that hold it: with N rows, df of them with the term, and
 * o = (N - df + 0.5) / (df + 0.5),
 *
 * - `lucene`: ln(1 + o), above 0 for every term
 * - `classic`: ln(o), below 0 for a term that more than half of the rows hold: having it lowers a row's score
 * - `classic-floored`: max(0, ln(o)), which leaves such terms out of the query
 *
 * S. Robertson, H. Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009.
 *
 * @param rows - N
 * @param documentFrequency - df, 0 to N
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function inverseDocumentFrequency(
  rows: number,
  documentFrequency: number,
  kind: IdfKind = 'lucene',
): number {
  if (!Object.hasOwn(FORMULAS, kind)) {
    throw invalid(`idf must be one of ${Object.keys(FORMULAS).join(', ')}, got ${show(kind)}`);
  }
  if (!(Number.isSafeInteger(rows) && Number.isSafeInteger(documentFrequency))) {
    throw invalid(
      `rows and document frequency must be integers, got ${show(rows)} and ${show(documentFrequency)}`,
    );
  }
  if (documentFrequency < 0 || documentFrequency > rows) {
    throw invalid(`a document frequency must be 0 to ${rows}, got ${documentFrequency}`);
  }
  return FORMULAS[kind]((rows - documentFrequency + 0.5) / (documentFrequency + 0.5));
}

/**
 * BM25's saturation as a function of the length alone: tf / (tf + k1 (1 - b + b length / average)) is
 * tf / (tf + base + slope length) with base = k1 (1 - b) and slope = k1 b / average.
 *
 * @param averageLength - mean number of terms of a row; where it is 0 no row has a term, and the slope is 0
 */
export function bm25Saturation(
  { k1, b }: Pick<Bm25Parameters, 'k1' | 'b'>,
  averageLength: number,
): Saturation {
  return { base: k1 * (1 - b), slope: averageLength > 0 ? (k1 * b) / averageLength : 0 };
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkBm25Parameters(given: {
  readonly k1?: number | undefined;
  readonly b?: number | undefined;
  readonly idf?: IdfKind | undefined;
}): Bm25Parameters {
  const { k1 = BM25_DEFAULTS.k1, b = BM25_DEFAULTS.b, idf = BM25_DEFAULTS.idf } = given;
  if (!(Number.isFinite(k1) && k1 >= 0)) throw invalid(`k1 must be finite and at least 0, got ${show(k1)}`);
  if (!(Number.isFinite(b) && b >= 0 && b <= 1)) throw invalid(`b must be from 0 to 1, got ${show(b)}`);
  inverseDocumentFrequency(1, 1, idf);
  return { k1, b, idf };
}

/** How often each term comes. */
export function termFrequencies<Term>(terms: Iterable<Term>): Map<Term, number> {
  const frequencies = new Map<Term, number>();
  for (const term of terms) frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
  return frequencies;
}

function invalid(message: string): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message);
}

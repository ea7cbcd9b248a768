/**
 * Learned sparse vectors whose queries need no model. Documents are encoded by a masked language model when they are indexed; a
 * query's weights are looked up. Scores are inner products, which `SparseIndex` searches.
 *
 * @module
 */
import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import type { SparseMatrix } from '../index/sparse-matrix.js';
import type { RaggedMatrix } from '../vectors/matrix.js';
import { inverseDocumentFrequency } from './bm25-weights.js';
import { SparseRows } from './sparse-rows.js';

/** Options of {@link inferenceFreeQueries}. */
export interface InferenceFreeQueryOptions {
  /** A text's token ids, by the tokenizer of the model that encoded the documents. */
  readonly tokenize: (text: string) => ArrayLike<number>;
  /** The weight of each token, by id: {@link tokenIdf}, or weights that were trained further. */
  readonly idf: Float32Array;
  /** Ids that never count, such as those of `[CLS]` and `[SEP]`; none by default. */
  readonly specialTokens?: Iterable<number> | undefined;
}

/** Options of {@link spladeWeights}. */
export interface SpladeOptions {
  /** `log`, the default: ln(1 + x); `log-log`: ln(1 + ln(1 + x)), for models that were trained so. */
  readonly activation?: 'log' | 'log-log' | undefined;
}

/**
 * The weight of every token: ln(1 + (N - df + 0.5) / (df + 0.5)). Linear in the size of the vocabulary.
 *
 * Z. Geng et al., *Towards Competitive Search Relevance for Inference-Free Learned Sparse Retrievers*, 2024.
 *
 * @param documentFrequencies - by token id, how many of the documents hold the token
 * @param documents - N, the number of documents
 * @throws GranuleError `INVALID_ARGUMENT` where more documents hold a token than there are
 */
export function tokenIdf(documentFrequencies: Uint32Array, documents: number): Float32Array {
  return Float32Array.from(documentFrequencies, (df) => inverseDocumentFrequency(documents, df));
}

/**
 * The queries' sparse vectors without a model: each distinct token of a text has the weight max(0, idf[token]), however often
 * it comes; special tokens and weights of 0 are left out. O(tokens log tokens) for each text.
 *
 * Z. Geng et al., *Towards Competitive Search Relevance for Inference-Free Learned Sparse Retrievers*, 2024.
 *
 * @returns one row for each text; a text without weights has an empty one
 * @throws GranuleError `INVALID_ARGUMENT`, also for a token without a weight; `NOT_FINITE` for a weight that is not a finite number
 */
export function inferenceFreeQueries(
  texts: readonly string[],
  options: InferenceFreeQueryOptions,
): SparseMatrix {
  checkKeys(options, ['tokenize', 'idf', 'specialTokens']);
  const { tokenize, idf } = options;
  const special = new Set(options.specialTokens);
  const rows = new SparseRows();
  for (const text of texts) {
    const weights = new Map<number, number>();
    for (const token of Array.from(tokenize(text))) {
      if (special.has(token)) continue;
      const weight = idf[token];
      if (weight === undefined) {
        throw new GranuleError(
          'INVALID_ARGUMENT',
          `token ${show(token)} is not one of the ${idf.length} with a weight`,
        );
      }
      if (!Number.isFinite(weight)) {
        throw new GranuleError('NOT_FINITE', `the weight of token ${token} is ${weight}`, { column: token });
      }
      if (weight > 0) weights.set(token, weight);
    }
    rows.add(weights);
  }
  return rows.matrix();
}

/**
 * Documents' sparse vectors from the logits of a masked language model: with x the greatest of 0 and the logits of a token over
 * the document's positions, the token's weight is ln(1 + x); weights of 0 are left out. Logarithms in float64, rounded once.
 *
 * T. Formal et al., *SPLADE v2: Sparse Lexical and Expansion Model for Information Retrieval*, 2021.
 *
 * @param logits - document i owns `lengths[i]` rows, one for each position (without padding), of as many columns as the model has tokens
 * @returns one row for each document. O(positions x columns)
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` (`details.row` and `.column` in `logits.data`)
 */
export function spladeWeights(logits: RaggedMatrix, options: SpladeOptions = {}): SparseMatrix {
  checkKeys(options, ['activation']);
  const { activation = 'log' } = options;
  if (activation !== 'log' && activation !== 'log-log') {
    throw new GranuleError('INVALID_ARGUMENT', `activation must be log or log-log, got ${show(activation)}`);
  }
  const { data, lengths, columns } = logits;
  const positions = lengths.reduce((sum, length) => sum + length, 0);
  if (positions * columns !== data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${data.length} logits do not make ${positions} positions of ${columns} tokens`,
      { length: data.length, positions, columns },
    );
  }
  const rows = new SparseRows();
  const pooled = new Float32Array(columns);
  let position = 0;
  for (const length of lengths) {
    pooled.fill(0);
    for (const end = position + length; position < end; position++) poolInto(pooled, data, position);
    const weights = new Map<number, number>();
    for (let token = 0; token < columns; token++) {
      if (pooled[token]! > 0) weights.set(token, activate(pooled[token]!, activation));
    }
    rows.add(weights);
  }
  return rows.matrix();
}

/**
 * Leaves out a row's small weights: kept are those above `ratio` times the row's greatest. Linear in the number of weights.
 *
 * Z. Geng et al., *Towards Competitive Search Relevance for Inference-Free Learned Sparse Retrievers*, 2024.
 *
 * @param ratio - from 0 to below 1; 0 leaves out what is 0 only
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function pruneWeights({ lengths, terms, values }: SparseMatrix, ratio: number): SparseMatrix {
  if (!(ratio >= 0 && ratio < 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `ratio must be from 0 to below 1, got ${show(ratio)}`);
  }
  const rows = new SparseRows();
  let start = 0;
  for (const length of lengths) {
    const end = start + length;
    const least = ratio * values.subarray(start, end).reduce((most, weight) => Math.max(most, weight), 0);
    const kept = new Map<number, number>();
    for (let i = start; i < end; i++) if (values[i]! > least) kept.set(terms[i]!, values[i]!);
    rows.add(kept);
    start = end;
  }
  return rows.matrix();
}

/**
 * Mean cost of comparing two documents, which training keeps low: sum over tokens t of (sum over documents of |w_t| / documents)^2. 0
 * without documents. O(weights).
 *
 * B. Paria et al., *Minimizing FLOPs to Learn Efficient Sparse Representations*, 2020.
 */
export function flops({ lengths, terms, values }: SparseMatrix): number {
  const sums = new Map<number, number>();
  for (const [i, term] of terms.entries()) sums.set(term, (sums.get(term) ?? 0) + Math.abs(values[i]!));
  let squares = 0;
  for (const sum of sums.values()) squares += (sum / lengths.length) ** 2;
  return squares;
}

/** Greatest logit of each token, of those at a position and those so far. */
function poolInto(pooled: Float32Array, data: Float32Array, position: number): void {
  const columns = pooled.length;
  const start = position * columns;
  for (let token = 0; token < columns; token++) {
    const logit = data[start + token]!;
    if (!Number.isFinite(logit)) {
      throw new GranuleError(
        'NOT_FINITE',
        `the logit of token ${token} at position ${position} is ${logit}`,
        {
          row: position,
          column: token,
        },
      );
    }
    if (logit > pooled[token]!) pooled[token] = logit;
  }
}

function activate(logit: number, activation: 'log' | 'log-log'): number {
  const weight = Math.log1p(logit);
  return activation === 'log' ? weight : Math.log1p(weight);
}

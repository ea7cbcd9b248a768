import { checkChoice, checkLength } from './loss-arguments.js';

/** Options of {@link agreementLabels}. */
export interface AgreementLabelOptions {
  /**
   * `agreement`, the default: prediction and pseudo-relevance have to agree. `prediction`: the prediction alone, which needs no
   * pseudo-relevance.
   */
  readonly by?: 'agreement' | 'prediction' | undefined;
}

/** The label of a document that is left out. */
export const IGNORED = -1;

/**
 * What RA-VQA teaches its retriever, per document: whether the answer that the reader gave from it is right, and whether the
 * document holds an accepted answer (pseudo-relevance).
 *
 *     right and relevant      1
 *     wrong and irrelevant    0
 *     right, irrelevant      -1, left out: right by chance, or by what the reader knows
 *     wrong, relevant        -1, left out: the reader may be at fault
 *
 * With `prediction` right is 1 and wrong is 0. In the released code these are "Approach6" and "NoPR"; it takes an answer for right
 * by its first token. O(n).
 *
 * Source: "Retrieval Augmented Visual Question Answering with Outside Knowledge" (2022), and its released code.
 *
 * @param right - per document, whether the reader's answer is right
 * @param relevant - per document; may be left out with `prediction`
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function agreementLabels(
  right: readonly boolean[],
  relevant: readonly boolean[] = [],
  options: AgreementLabelOptions = {},
): Float64Array {
  checkLength(right.length, 'right');
  const by = checkChoice(options.by ?? 'agreement', ['agreement', 'prediction'], 'by');
  if (by === 'prediction') return Float64Array.from(right, (is) => (is ? 1 : 0));
  checkLength(relevant.length, 'relevant', right.length);
  return Float64Array.from(right, (is, i) => (is === relevant[i] ? (is ? 1 : 0) : IGNORED));
}

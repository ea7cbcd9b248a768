import { checkKeys } from '../../index/arguments.js';
import type { RaggedMatrix } from '../../vectors/matrix.js';
import { VECTOR_CONTRAST_OPTIONS, type VectorContrastOptions } from './contrast-arguments.js';
import { patchContrastOfVectors } from './patches/patch-contrast-of-vectors.js';

/** What {@link maxSimContrastOfVectors} gives. */
export interface MaxSimContrast {
  readonly loss: number;
  /** dL/dq, as the query vectors lie. */
  readonly queryGradient: RaggedMatrix;
  /** dL/dd, as the document vectors lie. */
  readonly documentGradient: RaggedMatrix;
  /** dL/dt. For a learned ln t it is t times this. */
  readonly temperatureGradient: number;
}

/**
 * InfoNCE within a batch over late interaction, as a retriever of token vectors is trained:
 *
 *     s_ij = sum over query vectors a of max over document vectors b of <q_ia, d_jb> / n_i      n_i: vectors of query i
 *
 * then as `inBatchContrastOfVectors`. Of equal matches the first gets the gradient. Costs and errors are those of `patchContrastOfVectors`.
 *
 * Sources: "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020), and that of
 * `inBatchContrast`.
 *
 * @param queries - per query its vectors, at least one; left as they are until the promise settles
 * @param documents - per document its vectors, at least one; document i is query i's, and further ones are hard negatives
 * @throws GranuleError as `patchContrastOfVectors`
 */
export async function maxSimContrastOfVectors(
  queries: RaggedMatrix,
  documents: RaggedMatrix,
  options: VectorContrastOptions = {},
): Promise<MaxSimContrast> {
  checkKeys(options, VECTOR_CONTRAST_OPTIONS);
  const { loss, wordGradient, patchGradient, temperatureGradient } = await patchContrastOfVectors(
    queries,
    documents,
    { ...options, score: 'mean-max-sim' },
  );
  return { loss, queryGradient: wordGradient, documentGradient: patchGradient, temperatureGradient };
}

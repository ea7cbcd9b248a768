/**
 * Options of the scores over several vectors per document, with their formulas: s_ij is the similarity of query vector i < n_q and
 * document vector j < n_d, w_i what query vector i counts.
 *
 * @module
 */
import type { FILIP_DIRECTION_CODES } from '../../native/multi-vector-types.js';
import type { Matrix } from '../../vectors/matrix.js';

/** What each query vector counts. */
export interface QueryWeightOptions {
  /** One per query vector, finite and not negative (inverse document frequencies; see `groupWeights`); 1 by default. */
  readonly weights?: ArrayLike<number> | undefined;
}

/**
 * MaxSim with a smooth maximum: sum over i of w_i t ln sum over j of exp(s_ij / t). At least MaxSim, and at most
 * t ln n_d more for each query vector: of documents of different length the longer gains. The loss of ColPali: Efficient Document
 * Retrieval with Vision Language Models (2024) has it.
 */
export interface SmoothMaxSimOptions extends QueryWeightOptions {
  /** The t, 0.1 by default; towards 0 it becomes MaxSim. */
  readonly temperature?: number | undefined;
}

/**
 * MaxSim with the mean of the m greatest similarities in place of the greatest, or of all where there are fewer: one stray patch
 * does not decide.
 */
export interface TopMeanSimOptions extends QueryWeightOptions {
  /** So many of the greatest similarities of a query vector are averaged, 3 by default; 1 gives MaxSim. */
  readonly most?: number | undefined;
}

/**
 * Token-wise late interaction in both directions:
 *
 *     query to document: mean over i of max over j of s_ij        document to query: mean over j of max over i of s_ij
 *
 * The second asks that every patch of a document has its token: it punishes what the query does not mention.
 * FILIP: Fine-grained Interactive Language-Image Pre-Training (2021).
 */
export interface FilipOptions {
  /** `both`, the default, is the mean of the two directions. */
  readonly direction?: keyof typeof FILIP_DIRECTION_CODES | undefined;
}

/**
 * Patch-aligned pooling: mean over i of <q_i, v_i>, v_i = sum over j of a_ij x_j, a_ij = softmax over j of s_ij / t; which is
 * the mean over i of sum over j of a_ij s_ij. Published for one query vector, that of a whole text. Open Vocabulary Semantic
 * Segmentation with Patch Aligned Contrastive Learning (2022).
 */
export interface PaclOptions extends QueryWeightOptions {
  /**
   * The t of the softmax over patches, 1 by default, as published for vectors that were trained with it. With other unit vectors 1 is
   * nearly the mean of all patches; they need a t near 0.01.
   */
  readonly temperature?: number | undefined;
}

/**
 * Attention pooling that depends on the text, with an empty key: patches and a vector of zeros share a softmax,
 *
 *     a_ij = exp(s_ij / t) / (1 + sum over j of exp(s_ij / t))        score = mean over i of sum over j of a_ij s_ij
 *
 * so that a text that fits no patch attends to nothing and scores near 0. The published model projects queries, keys and
 * values by matrices that it learned; this takes the vectors as they are. After FLAIR: VLM with Fine-grained Language-informed Image
 * Representations (2024).
 */
export interface FlairOptions extends QueryWeightOptions {
  /** The temperature t of the softmax, 0.1 by default. */
  readonly temperature?: number | undefined;
}

/**
 * Interactive similarity aggregation (`interactiveSimilarityAggregation`) over words, then over patches; over patches, then over words;
 * and the mean of the two. The matrices W are those that were learned, each the identity by default; those over patches fit documents of
 * n_d vectors only. Unified Coarse-to-Fine Alignment for Video-Text Retrieval (2023).
 */
export interface BiIsaOptions {
  /** The t of every softmax, 0.01 by default. */
  readonly temperature?: number | undefined;
  /** n_q x n_q, of the aggregation of a patch's similarities over the words. */
  readonly wordMixing?: Matrix | undefined;
  /** n_d x n_d, of the patches' results that follow from it. */
  readonly overPatchesMixing?: Matrix | undefined;
  /** n_d x n_d, of the aggregation of a word's similarities over the patches. */
  readonly patchMixing?: Matrix | undefined;
  /** n_q x n_q, of the words' results that follow from it. */
  readonly overWordsMixing?: Matrix | undefined;
}

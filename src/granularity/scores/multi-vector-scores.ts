import type {
  BiIsaOptions,
  FilipOptions,
  FlairOptions,
  PaclOptions,
  QueryWeightOptions,
  SmoothMaxSimOptions,
  TopMeanSimOptions,
} from './score-options.js';

/** The options of each score, by its name. */
export interface MultiVectorScoreOptionsByName {
  /**
   * MaxSim, or Chamfer similarity: sum over i of w_i max over j of s_ij, as `MultiVectorIndex` scores (whose result is this,
   * rounded to float32, where the weights are 1). Not symmetric. ColBERT: Efficient and Effective Passage Search via
   * Contextualized Late Interaction over BERT (2020).
   */
  readonly maxsim: QueryWeightOptions;
  /**
   * MaxSim divided by the sum of the weights, by n_q without weights: comparable among queries of different length, for
   * thresholds and fusion. Vectors of zeros that pad a query lower it; leave them out.
   */
  readonly 'mean-maxsim': QueryWeightOptions;
  readonly 'smooth-maxsim': SmoothMaxSimOptions;
  readonly 'top-mean': TopMeanSimOptions;
  readonly filip: FilipOptions;
  readonly pacl: PaclOptions;
  /**
   * Sparse patch groups: per word i the similarities are brought to [0, 1] by their least and greatest, those below 1 / n_d
   * become 0, and the rest are divided by their sum: a_ij. Then with the group's vector c_i = sum over j of a_ij x_j
   *
   *     score = mean over i of <q_i, c_i> = mean over i of sum over j of a_ij s_ij
   *
   * Where all similarities of a word are equal its group is all patches alike. Improving fine-grained understanding in
   * image-text pre-training (2024).
   */
  readonly sparc: QueryWeightOptions;
  readonly flair: FlairOptions;
  readonly 'bi-isa': BiIsaOptions;
}

/** The name of a score of a query and a document from the similarities of their vectors. */
export type MultiVectorScoreName = keyof MultiVectorScoreOptionsByName;

/** The options of the score of that name. */
export type MultiVectorScoreOptions<Name extends MultiVectorScoreName> = MultiVectorScoreOptionsByName[Name];

/** Scores of a query and a document from the similarities of their vectors, by name: their options, with the defaults. */
export const MULTI_VECTOR_SCORES: {
  readonly [Name in MultiVectorScoreName]: Required<MultiVectorScoreOptions<Name>>;
} = {
  maxsim: { weights: undefined },
  'mean-maxsim': { weights: undefined },
  'smooth-maxsim': { weights: undefined, temperature: 0.1 },
  'top-mean': { weights: undefined, most: 3 },
  filip: { direction: 'both' },
  pacl: { weights: undefined, temperature: 1 },
  sparc: { weights: undefined },
  flair: { weights: undefined, temperature: 0.1 },
  'bi-isa': {
    temperature: 0.01,
    wordMixing: undefined,
    overPatchesMixing: undefined,
    patchMixing: undefined,
    overWordsMixing: undefined,
  },
};

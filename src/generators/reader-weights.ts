import type { CandidateFeature } from './candidate-features.js';
import type { NullFeature } from './read-passage.js';

/** Weights of a reader's features. */
export interface ReaderWeights {
  readonly candidate: Readonly<Record<CandidateFeature, number>>;
  /** Weights of what speaks for "the passage holds no answer". */
  readonly none: Readonly<Record<NullFeature, number>>;
}

/**
 * The weights of the built-in reader, fitted by `fitExtractiveReader` to general passages and to training questions of
 * the demo, none of whose wordings are evaluated. `test/unit/training/reader-weights.test.ts` names the examples and
 * checks that these weights are the optimum on them.
 */
export const READER_WEIGHTS: ReaderWeights = {
  candidate: {
    coverage: 2.867,
    relativeCoverage: 3.942,
    clauseCoverage: 0.899,
    proximity: 3.751,
    focusInSentence: -3.112,
    subjectFocus: 2.61,
    subjectFocusPart: 1.756,
    predicateFocus: 3.199,
    adjacentFocus: 1.546,
    ofFocus: 2.049,
    appositionFocus: 3.06,
    focusInSpan: 3.459,
    objectOfVerb: 2.052,
    objectThoughSubjectAsked: 2.936,
    subjectOfVerb: 1.952,
    subjectThoughObjectAsked: -2.763,
    otherPreposition: 0.281,
    afterVerb: 1.716,
    afterCopula: 2.042,
    afterPreposition: 1.506,
    afterColon: 2.376,
    opensSentence: 0.605,
    holdsQuestionWord: -2.064,
    isTitle: -3.248,
    holdsTitle: -1.765,
    cutLeft: 0.424,
    cutRight: -2.934,
    length: -1.765,
    capitals: -1.447,
    lowerCase: -4.284,
    mixedList: -2.704,
    listForPlural: 3.333,
    itemForPlural: -2.942,
    listForSingular: 0.378,
    itemForSingular: -1.042,
    numberForNumber: 3.935,
    otherForNumber: -1.267,
    unitFollows: 0.965,
    numberForOther: -1.897,
    digitsForTime: 2.889,
    otherForTime: -2.266,
    capitalsForPerson: 0.748,
    placeAfterPreposition: 0.733,
    numberWord: 1.071,
    sign: -0.067,
  },
  none: {
    bias: 2.736,
    missedByPassage: 2.684,
    missedBySentence: 2.581,
    focusMissed: 1.534,
  },
};

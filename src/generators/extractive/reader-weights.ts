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
    coverage: 3.125,
    relativeCoverage: 4.164,
    clauseCoverage: 0.684,
    proximity: 4.139,
    focusInSentence: -3.371,
    subjectFocus: 2.633,
    subjectFocusPart: 1.9,
    predicateFocus: 3.266,
    adjacentFocus: 1.517,
    ofFocus: 2.009,
    appositionFocus: 3.05,
    focusInSpan: 3.431,
    objectOfVerb: 2.066,
    objectThoughSubjectAsked: 2.998,
    subjectOfVerb: 1.932,
    subjectThoughObjectAsked: -2.841,
    otherPreposition: 0.218,
    afterVerb: 1.899,
    afterCopula: 2.197,
    afterPreposition: 1.762,
    afterColon: 2.561,
    opensSentence: 0.791,
    holdsQuestionWord: -1.953,
    isTitle: -3.21,
    holdsTitle: -1.875,
    cutLeft: 0.541,
    cutRight: -3.028,
    length: -1.471,
    capitals: -1.774,
    lowerCase: -4.723,
    mixedList: -2.636,
    listForPlural: 3.381,
    itemForPlural: -2.645,
    listForSingular: 0.33,
    itemForSingular: -1.01,
    numberForNumber: 3.734,
    otherForNumber: -0.857,
    unitFollows: 0.931,
    numberForOther: -2.131,
    digitsForTime: 2.7,
    otherForTime: -2.213,
    capitalsForPerson: 0.702,
    placeAfterPreposition: 0.749,
    numberWord: 1.25,
    sign: -0.059,
  },
  none: {
    bias: 2.834,
    missedByPassage: 2.847,
    missedBySentence: 2.684,
    focusMissed: 1.439,
  },
};

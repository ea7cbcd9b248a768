export { type AnswerScores, answerScores } from './answer-metrics.js';
export * from './answers/index.js';
export {
  type EvaluateOptions,
  type Evaluation,
  evaluateRun,
  type MeasureResult,
} from './evaluate-run.js';
export {
  type BeirDocument,
  beirDocumentText,
  readBeirCorpus,
  readBeirQrels,
  readBeirQrelsFile,
  readBeirQueries,
} from './files/beir-folder.js';
export { readTrecQrels, writeTrecQrels } from './files/trec-qrels.js';
export { readTrecRun, writeTrecRun } from './files/trec-run.js';
export { type PseudoRelevance, pseudoRelevance } from './pseudo-relevance.js';
export type { Qrels } from './qrels.js';
export { hitAt, precisionAt, reciprocalRankAt } from './rank-metrics.js';
export * from './report/index.js';
export { type Run, type RunList, runFromRankedLists, trecOrder, withoutQueryDocuments } from './run.js';
export { measureNames } from './select-measures.js';
export * from './significance/index.js';
export { trecEvalText } from './trec-eval-text.js';

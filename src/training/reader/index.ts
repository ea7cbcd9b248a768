/**
 * The reader that learns: scores of candidate answers, their training, and the reader that they make.
 *
 * @module
 */
export * from './answer-likelihood.js';
export * from './passage-readings.js';
export type { SpanReading } from './span-reading.js';
export * from './span-scorer.js';
export * from './span-scorer-file.js';
export type { SpanScorerShape } from './span-scorer-shape.js';
export type { SpanScores } from './span-scores.js';
export * from './train-span-scorer.js';
export * from './trained-reader.js';

import type { Static } from '@sinclair/typebox';
import { aggregateStage } from './stages/aggregate.js';
import { approximateStage } from './stages/approximate.js';
import { cutStage } from './stages/cut.js';
import { denseStage } from './stages/dense.js';
import { diversifyStage } from './stages/diversify.js';
import { feedbackStage } from './stages/feedback.js';
import { fuseStage } from './stages/fuse.js';
import { guidedRefinementStage } from './stages/guided-refinement.js';
import { jitterStage } from './stages/jitter.js';
import { lateInteractionStage } from './stages/late-interaction.js';
import { maxsimStage } from './stages/maxsim.js';
import { normaliseStage } from './stages/normalise.js';
import { sparseStage } from './stages/sparse.js';

/** The stages by the names that a pipeline gives them. */
export const STAGES = {
  dense: denseStage,
  sparse: sparseStage,
  lateInteraction: lateInteractionStage,
  approximate: approximateStage,
  normalise: normaliseStage,
  fuse: fuseStage,
  feedback: feedbackStage,
  guidedRefinement: guidedRefinementStage,
  maxsim: maxsimStage,
  aggregate: aggregateStage,
  diversify: diversifyStage,
  jitter: jitterStage,
  cut: cutStage,
} as const;

/** One of the names in `STAGES`. */
export type StageName = keyof typeof STAGES;

/** A stage as plain data: its name beside its options. */
export type PipelineStage = {
  [Name in StageName]: { readonly stage: Name } & Static<(typeof STAGES)[Name]['schema']>;
}[StageName];

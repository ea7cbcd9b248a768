import type { JointPart } from './joint-knowledge.js';
import type { JointLoss } from './joint-objective.js';

/** A number of each part, such as its learning rate. */
export type JointRates = Readonly<Partial<Record<JointPart, number>>>;

/** One step of `trainJoint`. */
export interface JointTrainingStep extends JointLoss {
  /** From 1. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  /** Per trained part, the norm of its gradient before clipping. */
  readonly gradientNorms: JointRates;
}

import type { Matrix } from '../../vectors/matrix.js';

/** What joint training retrieves from; all vectors are frozen. */
export interface JointKnowledge {
  /** A vector per entity, such as that of its title in the space of the pictures: entities x d. */
  readonly entities: Matrix;
  /** The entities' titles, which expand the question. */
  readonly titles: readonly string[];
  /** A vector per passage. */
  readonly passages: Matrix;
  /** The passages' texts, which the reader reads. */
  readonly texts: readonly string[];
}

/** A question about a picture. */
export interface JointQuestion {
  readonly question: string;
  /** Frozen features of the picture, as many as the entity tower's inputs. */
  readonly picture: Float32Array;
}

/** A question with its accepted answers. */
export interface JointExample extends JointQuestion {
  readonly answers: readonly string[];
}

/** A part of a {@link JointModel} that can learn. */
export type JointPart = 'entity' | 'query' | 'reader';

/** The parts, in the order of a path. */
export const JOINT_PARTS: readonly JointPart[] = ['entity', 'query', 'reader'];

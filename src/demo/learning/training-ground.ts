import type { PassageReadings } from '../../training/reader/passage-readings.js';
import type { CountryKnowledge } from './country-knowledge.js';
import type { QuestionExamples } from './question-examples.js';
import type { TrainingTask } from './training-tasks.js';
import type { PictureViews } from './view-samples.js';

/** Pictures with questions. */
export interface CountryPictures {
  readonly tasks: readonly TrainingTask[];
  /** Views of each task's picture. */
  readonly seen: readonly PictureViews[];
}

/** What is learned from. */
export interface TrainingGround extends CountryPictures {
  /** Of the countries that may be trained on. */
  readonly knowledge: CountryKnowledge;
  readonly examples: QuestionExamples;
  /** What was read of passages for questions, by any stage of any seed. */
  readonly readings: PassageReadings;
}

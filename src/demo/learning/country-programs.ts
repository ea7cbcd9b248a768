import type { CountryKnowledge } from './country-knowledge.js';
import type { CountryStage, CountryTowers } from './country-towers.js';
import type { CountryPictures } from './country-trainer.js';
import type { QuestionExamples } from './question-examples.js';
import type { StageOptions } from './stage-options.js';
import { trainEntityTowers } from './train-entity-towers.js';
import { trainQueryTower } from './train-query-tower.js';

/** What is learned from. */
export interface TrainingGround extends CountryPictures {
  /** Of the countries that may be trained on. */
  readonly knowledge: CountryKnowledge;
  readonly examples: QuestionExamples;
}

/** Trains a stage, on top of what the stages before have left. */
export type CountryProgram = (
  ground: TrainingGround,
  before: CountryTowers,
  options: StageOptions,
) => Promise<CountryStage>;

/** What each of `COUNTRY_STAGES` does, in their order. */
export const COUNTRY_PROGRAMS: readonly CountryProgram[] = [
  ({ knowledge: { titleVectors, cca2 }, seen }, _, options) =>
    trainEntityTowers(seen, titleVectors, cca2, options),
  async ({ knowledge, examples }, _, options) => ({
    query: await trainQueryTower(knowledge, examples, options),
  }),
];

import type { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import { alignScores } from './align-scores.js';
import type { CountryStage, CountryTowers } from './country-towers.js';
import { placeExamples } from './place-examples.js';
import { questionPlaceEncoder } from './question-place-encoder.js';
import type { StageOptions } from './stage-options.js';
import { trainByRewards } from './train-by-rewards.js';
import { trainEntityTowers } from './train-entity-towers.js';
import { trainJointly } from './train-jointly.js';
import { trainPlaces } from './train-places.js';
import { trainQueryTower } from './train-query-tower.js';
import type { TrainingGround } from './training-ground.js';

/** Trains a stage, on top of what the stages before have left. */
export type CountryProgram = (
  ground: TrainingGround,
  before: CountryTowers,
  options: StageOptions,
) => Promise<CountryStage>;

const ENTITY_TOWERS = { epochs: 6, learningRate: 2e-3, weightDecay: 0.05 } as const;
const PLACES = { epochs: 1, learningRate: 0.1, weightDecay: 0.05 } as const;

/** What each of `COUNTRY_STAGES` does, in their order. */
export const COUNTRY_PROGRAMS: readonly CountryProgram[] = [
  ({ knowledge: { titleVectors, cca2 }, seen }, _, options) =>
    trainEntityTowers(seen, titleVectors, cca2, { ...options, ...ENTITY_TOWERS }),

  async ({ knowledge, examples }, _, options) => ({
    query: await trainQueryTower(knowledge, examples, options),
  }),

  ({ knowledge, examples, seen, readings }, { image, title, query }, options) =>
    trainJointly(knowledge, { image, title, query: query! }, seen, examples, { ...options, readings }),

  async ({ knowledge: { titleVectors, cca2 }, tasks, seen }, towers, options) => {
    const { examples, questions } = placeExamples({ tasks, seen }, options.seed);
    const { vectors } = await questionPlaceEncoder().encodeQueries(questions);
    const where = await trainPlaces(examples, vectors, titleVectors, cca2, towers, { ...options, ...PLACES });
    return { where };
  },

  async ({ knowledge, examples, readings }, before, options) => ({
    query: await alignScores(knowledge, learned(before), examples, { ...options, readings }),
  }),

  async ({ knowledge, examples, readings }, before, options) => ({
    query: await trainByRewards(knowledge, learned(before), examples, { ...options, readings }),
  }),
];

/** What joint training has left. */
function learned({ query, reader }: CountryTowers): { query: Tower; reader: SpanScorer } {
  return { query: query!, reader: reader! };
}

import { alignScores } from './align-scores.js';
import type { CountryStage, CountryTowers } from './country-towers.js';
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
const PLACES = { epochs: 6, learningRate: 0.2, weightDecay: 0 } as const;

/** What each of `COUNTRY_STAGES` does, in their order. */
export const COUNTRY_PROGRAMS: readonly CountryProgram[] = [
  ({ knowledge: { titleVectors, cca2 }, seen }, _, options) =>
    trainEntityTowers(seen, titleVectors, cca2, { ...options, ...ENTITY_TOWERS }),

  async ({ knowledge, examples }, _, options) => ({
    query: await trainQueryTower(knowledge, examples, options),
  }),

  async ({ knowledge, examples, seen, readings }, { image, title, query }, options) =>
    trainJointly(knowledge, { image, title, query: query! }, seen, examples, { ...options, readings }),

  async ({ knowledge: { titleVectors, cca2 }, tasks, seen }, towers, options) => {
    const asked = tasks.map(({ question }) => question.question);
    const { vectors } = await questionPlaceEncoder().encodeQueries(asked);
    const pictures = tasks.map(({ flag }, i) => ({ picture: seen[i]!, flag, question: i }));
    const where = await trainPlaces(pictures, vectors, titleVectors, cca2, towers, { ...options, ...PLACES });
    return { where };
  },

  async ({ knowledge, examples, readings }, { query, reader }, options) => ({
    query: await alignScores(knowledge, { query: query!, reader: reader! }, examples, {
      ...options,
      readings,
    }),
  }),

  async ({ knowledge, examples, readings }, { query, reader }, options) => ({
    query: await trainByRewards(knowledge, { query: query!, reader: reader! }, examples, {
      ...options,
      readings,
    }),
  }),
];

import { availableParallelism } from 'node:os';
import { GranuleError } from '../../errors.js';
import { ownSpec } from '../../threads/own-spec.js';
import type { ThreadSpec } from '../../threads/thread-spec.js';
import { ThreadTeam } from '../../threads/thread-team.js';
import { COUNTRY_STAGES, type PlainStage, stageOf } from './country-towers.js';
import type { TrainedCountries } from './country-towers-file.js';
import type { StageCall, StageResult, TrainingFacts } from './country-trainer.js';
import { seePictures } from './see-pictures.js';
import type { CountryPictures } from './training-ground.js';
import { trainingTasks } from './training-tasks.js';
import type { PictureViews } from './view-samples.js';

/** How far the training of a seed is. */
export interface SeedProgress {
  readonly seed: number;
  /** 1 to the number of stages. */
  readonly stage: number;
  /** Of the stage; 0 before its first. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** A step that was taken. */
export interface CountryStep extends SeedProgress {
  readonly type: 'step';
}

/** Options of {@link trainCountries}. */
export interface TrainCountriesOptions {
  readonly seeds: readonly number[];
  readonly signal?: AbortSignal;
  /** Called where a picture is begun, with how many were begun before it, and with all when they are made. */
  readonly onPicture?: (done: number, all: number) => void;
  /** Called some ten times a second, with all seeds that are in training, and the share of all stages that is done. */
  readonly onProgress?: (training: readonly SeedProgress[], fraction: number) => void;
  /** Called for each step of a stage, when the stage is done. */
  readonly onStep?: (step: CountryStep) => void;
  /** How many pictures are made; `COUNTRY_PICTURES` by default. */
  readonly pictures?: { readonly oneFlag: number; readonly severalFlags: number };
  /** How threads make a trainer; a `CountryTrainer` by default. */
  readonly trainer?: ThreadSpec | undefined;
}

/** Pictures that the shipped towers learned from. */
export const COUNTRY_PICTURES = { oneFlag: 2000, severalFlags: 1200 } as const;

const PROGRESS_EVERY = 100;

/**
 * Trains all stages for each seed: makes the pictures, which are the same for all seeds, and then takes the stages of a seed one after the
 * other and the seeds side by side, in as many threads as there are cores. The same options give the same bits on every number of threads.
 *
 * @returns what was trained, in the order of `seeds`
 * @throws GranuleError `TRAINING_DIVERGED`, `ABORTED`; `INTERNAL` where the modules of the threads are not there
 */
export async function trainCountries(options: TrainCountriesOptions): Promise<TrainedCountries[]> {
  const {
    seeds,
    signal,
    trainer = ownSpec('demo/learning/country-trainer.js', 'CountryTrainer', {}),
  } = options;
  const service = 'demo/learning/country-trainer-service.js';
  if (trainer === undefined) {
    throw new GranuleError('INTERNAL', 'the modules that threads train with are not there');
  }
  const pictures = await trainingPictures(options);
  const threads = Math.min(availableParallelism(), seeds.length);
  const team = new ThreadTeam({ spec: trainer, service, identity: {} }, { threads });
  team.prepare('begin', pictures);
  const training = new Map<number, { readonly stage: number; readonly progress: Float64Array }>();
  let done = 0;
  const report = () => {
    const all = [...training].map(
      ([
        seed,
        {
          stage,
          progress: [step = 0, steps = 0, loss = 0],
        },
      ]) => ({
        ...{ seed, stage, step, steps, loss },
      }),
    );
    const under = all.reduce((sum, { step, steps }) => sum + (steps === 0 ? 0 : step / steps), 0);
    options.onProgress?.(all, (done + under) / (seeds.length * COUNTRY_STAGES.length));
  };
  const train = async (seed: number): Promise<PlainStage[]> => {
    const stages: PlainStage[] = [];
    for (let stage = 1; stage <= COUNTRY_STAGES.length; stage++) {
      const progress = new Float64Array(new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT));
      training.set(seed, { stage, progress });
      const call: StageCall = { seed, stage, before: stages, progress };
      const { left, losses } = (await team.call<StageResult>('train', call, { signal })).value;
      for (const [i, loss] of losses.entries()) {
        options.onStep?.({ type: 'step', seed, stage, step: i + 1, steps: losses.length, loss });
      }
      stages.push(left);
      done += 1;
    }
    training.delete(seed);
    return stages;
  };
  const timer = setInterval(report, PROGRESS_EVERY);
  try {
    const trained = await Promise.all(seeds.map(train));
    const { value: facts } = await team.call<TrainingFacts>('facts', undefined, { signal });
    return seeds.map((seed, i) => ({ seed, stages: trained[i]!.map(stageOf), ...facts }));
  } finally {
    clearInterval(timer);
    await team.close();
  }
}

async function trainingPictures(options: TrainCountriesOptions): Promise<CountryPictures> {
  const { signal, onPicture, pictures = COUNTRY_PICTURES } = options;
  const tasks = trainingTasks({ name: 'train', ...pictures });
  const seen = await seePictures(
    tasks.map(({ picture }) => picture),
    { ...(signal && { signal }), ...(onPicture && { onProgress: onPicture }) },
  );
  return { tasks, seen: seen.map(inSharedMemory) };
}

/** All threads read the same views. */
function inSharedMemory(views: PictureViews): PictureViews {
  const vectors = new Float32Array(new SharedArrayBuffer(views.vectors.byteLength));
  vectors.set(views.vectors);
  return { ...views, vectors };
}

import { createHash } from 'node:crypto';
import { runtimeInfo } from '../../native/runtime-info.js';
import { PassageReadings } from '../../training/reader/passage-readings.js';
import { type AdaptedEncoder, identityOf } from '../../training/trainer/adapter.js';
import { type CountryKnowledge, countryKnowledge, trainedKnowledge } from './country-knowledge.js';
import { COUNTRY_PROGRAMS } from './country-programs.js';
import { type PlainStage, plainStage, stageOf, towersAfter } from './country-towers.js';
import { questionExamples } from './question-examples.js';
import type { CountryPictures, TrainingGround } from './training-ground.js';

/** Enough for all stages of a seed; together about 250 MB. */
const KEPT_READINGS = 32_768;

/** What is to be trained. */
export interface StageCall {
  readonly seed: number;
  /** 1 to the number of stages. */
  readonly stage: number;
  /** What the stages before have left. */
  readonly before: readonly PlainStage[];
  /** Three float64 numbers that say how far it is: step, steps, loss. */
  readonly progress: Float64Array;
}

/** What a stage has left, and the loss of each step. */
export interface StageResult {
  readonly left: PlainStage;
  readonly losses: Float64Array;
}

/** What was trained on. */
export interface TrainingFacts {
  readonly textEncoder: AdaptedEncoder;
  /** SHA-256 of all examples, in hexadecimal. */
  readonly data: string;
  readonly instructionSet: string;
}

/** Trains one stage at a time; each thread has one. */
export class CountryTrainer {
  #ground: Promise<TrainingGround> | undefined;

  /** Gets what all stages learn from; the rest is worked out when it is first needed. */
  begin(pictures: CountryPictures): void {
    this.#ground = groundOf(pictures);
    // It is reported to whoever asks for it.
    this.#ground.catch(() => undefined);
  }

  /** @throws GranuleError `TRAINING_DIVERGED`, `ABORTED` */
  async train({ seed, stage, before, progress }: StageCall, signal: AbortSignal): Promise<StageResult> {
    const losses: number[] = [];
    const towers = stage === 1 ? undefined : towersAfter(before.map(stageOf), stage - 1);
    const left = await COUNTRY_PROGRAMS[stage - 1]!(await this.#ground!, towers!, {
      seed,
      threads: 1,
      signal,
      onStep: ({ step, steps, loss }) => {
        losses.push(loss);
        progress.set([step, steps, loss]);
      },
    });
    return { left: plainStage(left), losses: Float64Array.from(losses) };
  }

  async facts(): Promise<TrainingFacts> {
    const ground = await this.#ground!;
    return {
      textEncoder: identityOf(ground.knowledge.encoder),
      data: hashOf(ground),
      instructionSet: runtimeInfo().isa,
    };
  }
}

async function groundOf(pictures: CountryPictures): Promise<TrainingGround> {
  const knowledge: CountryKnowledge = trainedKnowledge(await countryKnowledge());
  return {
    knowledge,
    examples: await questionExamples(knowledge),
    readings: new PassageReadings({ kept: KEPT_READINGS }),
    ...pictures,
  };
}

function hashOf({ tasks, seen, examples }: TrainingGround): string {
  const hash = createHash('sha256');
  const add = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  hash.update(JSON.stringify(tasks));
  for (const { vectors, quads, flagOf } of seen) {
    add(vectors);
    add(quads);
    add(flagOf);
  }
  for (const { questions, vectors } of [examples.train, examples.dev]) {
    hash.update(JSON.stringify(questions));
    add(vectors.data);
  }
  return hash.digest('hex');
}

import { COUNTRY_STAGES } from '../learning/country-towers.js';
import { NEVER_TRAINED } from '../learning/never-trained.js';
import type { AnswerScores } from '../score-answer.js';
import type { AblationScores } from './ask-all-systems.js';

/** What was asked, and what all systems scored. */
export interface AblationAnswer {
  /** Of the country that was asked about. */
  readonly cca2: string;
  /** Whether the picture shows several flags. */
  readonly severalFlags: boolean;
  readonly scores: AblationScores;
}

/** A mean over questions, from 0 to 1, averaged over seeds. */
export interface SeedMean {
  readonly mean: number;
  /** Sample standard deviation over seeds; absent where there are fewer than two. */
  readonly spread?: number;
}

/** The columns of the table; null where there was no such question. */
export interface AblationMeasures {
  /** Entity P@1 of pictures of one flag. */
  readonly oneFlagP1: SeedMean | null;
  /** Entity P@1 of pictures of several flags. */
  readonly severalFlagsP1: SeedMean | null;
  /** Entity P@1 of pictures of one flag, of countries that nothing was trained on. */
  readonly neverTrainedP1: SeedMean | null;
  /** The rest is of all questions. */
  readonly entityMrr100: SeedMean | null;
  readonly passageMrr: SeedMean | null;
  readonly passageP1: SeedMean | null;
  readonly passageP20: SeedMean | null;
  readonly exactMatch: SeedMean | null;
  readonly f1: SeedMean | null;
}

/** A row: what there is after a stage. */
export interface AblationRow extends AblationMeasures {
  readonly name: string;
}

/** The table, and of how many questions it is. */
export interface AblationTable {
  readonly seeds: readonly number[];
  readonly oneFlag: number;
  readonly severalFlags: number;
  /** Of those of one flag. */
  readonly neverTrained: number;
  readonly rows: readonly AblationRow[];
}

type Asked = (answer: AblationAnswer) => boolean;

const isOneFlag: Asked = ({ severalFlags }) => !severalFlags;
const isSeveralFlags: Asked = ({ severalFlags }) => severalFlags;
const isNeverTrained: Asked = ({ severalFlags, cca2 }) => !severalFlags && NEVER_TRAINED.has(cca2);
const isAny: Asked = () => true;

/** Of which questions a column is, and which score. */
const COLUMNS: Readonly<Record<keyof AblationMeasures, readonly [Asked, keyof AnswerScores]>> = {
  oneFlagP1: [isOneFlag, 'entityP1'],
  severalFlagsP1: [isSeveralFlags, 'entityP1'],
  neverTrainedP1: [isNeverTrained, 'entityP1'],
  entityMrr100: [isAny, 'entityMrr100'],
  passageMrr: [isAny, 'passageMrr'],
  passageP1: [isAny, 'passageP1'],
  passageP20: [isAny, 'passageP20'],
  exactMatch: [isAny, 'exactMatch'],
  f1: [isAny, 'f1'],
};

/**
 * The table of what each stage of training adds: means over questions, and of the trained systems the mean of the seeds' means with their
 * sample standard deviation.
 *
 * @param seeds - in the order of `AblationScores.trained`
 */
export function ablationTable(answers: readonly AblationAnswer[], seeds: readonly number[]): AblationTable {
  const row = (name: string, systems: readonly ((scores: AblationScores) => AnswerScores)[]): AblationRow => {
    const measures = Object.entries(COLUMNS).map(([column, [asked, score]]) => {
      const some = answers.filter(asked);
      const means = systems.map((of) => meanOf(some.map(({ scores }) => of(scores)[score])));
      return [column, some.length === 0 ? null : overSeeds(means)] as const;
    });
    return { name, ...(Object.fromEntries(measures) as unknown as AblationMeasures) };
  };
  return {
    seeds,
    oneFlag: answers.filter(isOneFlag).length,
    severalFlags: answers.filter(isSeveralFlags).length,
    neverTrained: answers.filter(isNeverTrained).length,
    rows: [
      row('untrained', [({ untrained }) => untrained]),
      ...COUNTRY_STAGES.map((name, stage) =>
        row(
          name,
          seeds.map(
            (_, seed) =>
              ({ trained }) =>
                trained[seed]![stage]!,
          ),
        ),
      ),
    ],
  };
}

function overSeeds(means: readonly number[]): SeedMean {
  const mean = meanOf(means);
  if (means.length < 2) return { mean };
  const squares = means.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: Math.sqrt(squares / (means.length - 1)) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

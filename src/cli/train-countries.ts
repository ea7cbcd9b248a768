import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareTowers, type TowersComparison } from '../demo/learning/compare-towers.js';
import { type SeedProgress, trainCountries } from '../demo/learning/country-stages.js';
import { COUNTRY_SEEDS, COUNTRY_STAGES } from '../demo/learning/country-towers.js';
import {
  countryTowersName,
  readCountryTowers,
  shippedCountryTowers,
  type TrainedCountries,
  writeCountryTowers,
} from '../demo/learning/country-towers-file.js';
import { GranuleError } from '../errors.js';
import { syncFolder } from '../files/durable-file.js';
import { TrainingLog } from '../training/index.js';
import type { CommandContext } from './command-context.js';
import { jsonText } from './json-text.js';

/** Options of `granule train countries`. */
export interface TrainCountriesOptions {
  /** A new folder; with `check`, nothing is written where it is absent. */
  readonly to: string | undefined;
  readonly seeds: readonly number[];
  readonly check: boolean;
  readonly log: string | undefined;
  readonly json: boolean;
}

const DEFAULT_FOLDER = 'granule-countries';

/** Trains the towers that the demo shows, writes them, and compares them with those that come with the package. */
export async function runTrainCountries(
  options: TrainCountriesOptions,
  context: CommandContext,
): Promise<void> {
  const { seeds, check } = options;
  const folder = options.to ?? (check ? undefined : DEFAULT_FOLDER);
  checkOptions(folder, options);
  const start = performance.now();
  const trained =
    folder === undefined
      ? await train(options, context)
      : await writtenWhole(folder, () => train(options, context), context.signal);
  const seconds = (performance.now() - start) / 1000;
  const compared = check ? await Promise.all(trained.map(comparedWithShipped)) : undefined;
  if (options.json) {
    context.print(jsonText({ to: folder, seeds, seconds, compared }));
  } else {
    const lines = [`${seeds.length} x ${COUNTRY_STAGES.length} stages in ${seconds.toFixed(0)} s`];
    if (folder !== undefined) lines.push(`written to ${folder}`);
    context.print([...lines, ...(compared ?? []).flatMap(comparisonLines)].join('\n'));
  }
  if (compared?.some(({ tensors }) => tensors.some(({ differing }) => differing > 0))) context.fail();
}

/** @throws GranuleError `FILE_NOT_WRITABLE`, `INVALID_ARGUMENT` */
function checkOptions(folder: string | undefined, { seeds, check }: TrainCountriesOptions): void {
  if (folder !== undefined && existsSync(folder)) {
    throw new GranuleError('FILE_NOT_WRITABLE', `${folder} is there already; name a new folder by --to`, {
      file: folder,
    });
  }
  const unknown = seeds.find((seed) => check && !COUNTRY_SEEDS.includes(seed));
  if (unknown !== undefined) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `--check compares with the shipped towers, which are of the seeds ${COUNTRY_SEEDS.join(', ')}; there are none of seed ${unknown}`,
      { seed: unknown },
    );
  }
}

async function train(options: TrainCountriesOptions, context: CommandContext): Promise<TrainedCountries[]> {
  const log = options.log === undefined ? undefined : await TrainingLog.open(options.log);
  try {
    return await trainCountries({
      seeds: options.seeds,
      signal: context.signal,
      onPicture: (done, all) => context.progress.update('pictures', done, done / all),
      onProgress: (training, fraction) => {
        const stages = fraction * options.seeds.length * COUNTRY_STAGES.length;
        context.progress.update('stages', Math.floor(stages), fraction, training.map(liveLoss).join(' · '));
      },
      onStep: (step) => log?.add(step),
    });
  } finally {
    await log?.close();
  }
}

function liveLoss({ seed, stage, step, loss }: SeedProgress): string {
  const shown = step === 0 ? 'begins' : `loss ${loss.toPrecision(4)}`;
  return `seed ${seed} ${COUNTRY_STAGES[stage - 1]} ${shown}`;
}

/**
 * Writes what `train` gives: all files, or none. They get their folder's name when all are there; that it can be written is known before the
 * training begins.
 */
async function writtenWhole(
  folder: string,
  train: () => Promise<TrainedCountries[]>,
  signal: AbortSignal,
): Promise<TrainedCountries[]> {
  const partial = `${folder}.partial`;
  try {
    // What a run that was killed has left does not belong to this one.
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const trained = await train();
    for (const one of trained)
      await writeCountryTowers(join(partial, countryTowersName(one.seed)), one, signal);
    await rename(partial, folder);
    await syncFolder(join(folder, '..'));
    return trained;
  } catch (cause) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    const message = `cannot write to ${folder}: ${(cause as Error).message}`;
    throw new GranuleError('FILE_NOT_WRITABLE', message, { file: folder }, { cause });
  }
}

async function comparedWithShipped(trained: TrainedCountries): Promise<TowersComparison> {
  return compareTowers(trained, await readCountryTowers(shippedCountryTowers(trained.seed)));
}

function comparisonLines({ seed, sameData, sameInstructionSet, tensors }: TowersComparison): string[] {
  const equal = tensors.filter(({ differing }) => differing === 0).length;
  const lines = [`seed ${seed}: ${equal} of ${tensors.length} tensors are equal to the shipped ones`];
  if (!sameData) {
    lines.push('  trained on other examples: another version of the image library makes other pictures');
  }
  if (!sameInstructionSet) lines.push('  trained by another instruction set than the shipped ones');
  for (const { name, differing, numbers, greatest } of tensors) {
    const how =
      differing === 0
        ? 'equal'
        : `differs in ${differing} of ${numbers} numbers, by ${greatest.toPrecision(2)} at most`;
    lines.push(`  ${name.padEnd(44)} ${how}`);
  }
  return lines;
}

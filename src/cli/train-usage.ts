import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { GranuleError } from '../errors.js';
import type { TrainCommandOptions } from './train-command-options.js';

/**
 * What is wrong with the options of `granule train` together: two that contradict each other, one that would change nothing, or a file that would be
 * written over another of the same run.
 *
 * @param given - whether an option was given, by its name in `options`
 * @returns undefined where nothing is wrong
 */
export function refuseTrainUsage(
  options: TrainCommandOptions,
  given: (name: keyof TrainCommandOptions) => boolean,
): string | undefined {
  if (given('eval') && given('devShare')) return '--eval and --dev-share are two ways to measure; give one';
  if (given('epochs') && given('steps')) return '--epochs and --steps both say how long to train; give one';
  if (!given('eval') && !given('devShare')) {
    const idle = (['measure', 'patience'] as const).find(given);
    if (idle !== undefined) return `--${idle} needs something to measure by: --eval or --dev-share`;
  }
  if (given('rank') && options.tower !== 'low-rank')
    return `--rank is of a low-rank tower, not of ${an(options.tower)}`;
  if (given('hidden') && options.tower !== 'mlp') return `--hidden is of an mlp, not of ${an(options.tower)}`;
  return sameFile(options);
}

function an(tower: TrainCommandOptions['tower']): string {
  return tower === 'mlp' ? 'an mlp' : `a ${tower} one`;
}

function sameFile(options: TrainCommandOptions): string | undefined {
  const { pairs, to, log, curves, checkpoint = `${to}.checkpoint` } = options;
  const seen = new Map<string, string>();
  for (const [name, file] of Object.entries({ pairs, eval: options.eval, to, checkpoint, log, curves })) {
    if (file === undefined) continue;
    const other = seen.get(resolve(file));
    // Whoever measures by what is trained on is told so with the line.
    if (other !== undefined && name !== 'eval') return `--${other} and --${name} are the same file, ${file}`;
    seen.set(resolve(file), name);
  }
  return undefined;
}

/**
 * @param file - what will be written beside itself and renamed; undefined where nothing will
 * @throws GranuleError `FILE_NOT_WRITABLE` where it is a folder, or where its folder is missing or takes no files
 */
export async function requireWritable(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) {
    throw new GranuleError('FILE_NOT_WRITABLE', `cannot write to ${file}: it is a folder`, { file });
  }
  await access(dirname(resolve(file)), constants.W_OK).catch((cause: Error) => {
    throw new GranuleError(
      'FILE_NOT_WRITABLE',
      `cannot write to ${file}: ${cause.message}`,
      { file },
      { cause },
    );
  });
}

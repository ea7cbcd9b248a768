import { availableParallelism } from 'node:os';
import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import moduleUrl from '../../threads/module-url.cjs';
import { ownSpec } from '../../threads/own-spec.js';
import { ThreadTeam } from '../../threads/thread-team.js';
import { countryFacts } from '../countries/country-facts.js';
import { sameFlag } from '../countries/same-flags.js';
import { NEVER_TRAINED } from './never-trained.js';
import type { SeenPicture, TrainingPicture } from './training-picture-maker.js';

/** How many pictures to make. */
export interface PictureCounts {
  readonly oneFlag: number;
  readonly severalFlags: number;
}

/**
 * Pictures of trained countries, the same for a name on every machine: first those of one flag, then those of two to four. Countries are
 * taken in turn, in an order of its own for each round, so that each is seen about equally often.
 *
 * @param name - `train`, or another one for pictures to measure by
 */
export function drawTrainingPictures(
  name: string,
  { oneFlag, severalFlags }: PictureCounts,
): TrainingPicture[] {
  const random = new SeededRandom(`pictures ${name}`);
  const trained = countryFacts()
    .map(({ cca2 }) => cca2)
    .filter((cca2) => !NEVER_TRAINED.has(cca2));
  let round: string[] = [];
  const next = (shown: readonly string[]): string => {
    if (round.length === 0) round = [...trained];
    let at = random.integer(0, round.length - 1);
    // Near its end a round may hold nothing but flags that are in the picture already.
    if (shown.some((other) => sameFlag(other, round[at]!))) {
      round = [...trained];
      do at = random.integer(0, round.length - 1);
      while (shown.some((other) => sameFlag(other, round[at]!)));
    }
    return round.splice(at, 1)[0]!;
  };
  return Array.from({ length: oneFlag + severalFlags }, (_, i) => {
    const flags: string[] = [];
    const count = i < oneFlag ? 1 : random.integer(2, 4);
    while (flags.length < count) flags.push(next(flags));
    return { flags, seed: `${name} ${i}` };
  });
}

/**
 * Makes pictures in threads, one per core, and keeps views of them.
 *
 * @returns what is kept of each, in their order
 * @throws GranuleError `ABORTED`
 */
export async function seePictures(
  pictures: readonly TrainingPicture[],
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, all: number) => void } = {},
): Promise<SeenPicture[]> {
  const spec = ownSpec('demo/learning/training-picture-maker.js', 'TrainingPictureMaker', {});
  const service = moduleUrl('demo/learning/training-picture-service.js');
  if (spec === undefined || service === undefined) {
    throw new GranuleError('INTERNAL', 'the modules that threads make training pictures with are not there');
  }
  const team = new ThreadTeam({ spec, service, identity: {} }, { threads: availableParallelism() });
  let done = 0;
  try {
    return await team.callAll<TrainingPicture, SeenPicture>(
      'make',
      pictures,
      (picture) => {
        options.onProgress?.(done, pictures.length);
        done += 1;
        return picture;
      },
      options.signal,
    );
  } finally {
    await team.close();
  }
}

import { availableParallelism } from 'node:os';
import { GranuleError } from '../../errors.js';
import { ownSpec } from '../../threads/own-spec.js';
import { ThreadTeam } from '../../threads/thread-team.js';
import type { TrainingPicture } from './training-picture-maker.js';
import type { PictureViews } from './view-samples.js';

/**
 * Makes pictures in threads, one per core, and keeps views of them. `onProgress` is called where a picture is begun, with how many were
 * begun before it, and with all when they are made.
 *
 * @returns what is kept of each, in their order
 * @throws GranuleError `ABORTED`; `INTERNAL` where the modules of the threads are not there
 */
export async function seePictures(
  pictures: readonly TrainingPicture[],
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, all: number) => void } = {},
): Promise<PictureViews[]> {
  const spec = ownSpec('demo/learning/training-picture-maker.js', 'TrainingPictureMaker', {});
  if (spec === undefined) {
    throw new GranuleError('INTERNAL', 'the modules that threads make training pictures with are not there');
  }
  const team = new ThreadTeam(
    { spec, service: 'demo/learning/training-picture-service.js', identity: {} },
    { threads: availableParallelism() },
  );
  let begun = 0;
  try {
    const seen = await team.callAll<TrainingPicture, PictureViews>(
      'make',
      pictures,
      (picture) => {
        options.onProgress?.(begun, pictures.length);
        begun += 1;
        return picture;
      },
      options.signal,
    );
    options.onProgress?.(begun, pictures.length);
    return seen;
  } finally {
    await team.close();
  }
}

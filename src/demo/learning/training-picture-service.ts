import type { ThreadService } from '../../threads/thread-messages.js';
import type { TrainingPicture, TrainingPictureMaker } from './training-picture-maker.js';

/** Serves a maker of training pictures in a thread. */
export function serve(maker: TrainingPictureMaker): ThreadService {
  return { identity: {}, methods: { make: (picture: TrainingPicture) => maker.make(picture) } };
}

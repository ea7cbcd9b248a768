import type { ThreadService } from '../../threads/thread-messages.js';
import type { CountryTrainer, StageCall } from './country-trainer.js';
import type { CountryPictures } from './training-ground.js';

/** Serves a trainer in a thread. */
export function serve(trainer: CountryTrainer): ThreadService {
  return {
    identity: {},
    methods: {
      begin: (pictures: CountryPictures) => trainer.begin(pictures),
      train: (call: StageCall, signal: AbortSignal) => trainer.train(call, signal),
      facts: () => trainer.facts(),
    },
  };
}

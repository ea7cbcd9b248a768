import type { Passage } from '../../corpus/records.js';
import type { ThreadService } from '../../threads/thread-messages.js';
import type { Generator } from '../generator.js';

/** A question, and some of the passages that may answer it. */
export interface GenerateArgument {
  readonly question: string;
  readonly passages: readonly Passage[];
}

/** Serves a generator in a thread. */
export function serve(generator: Generator): ThreadService {
  return {
    identity: { name: generator.name },
    methods: {
      generate: ({ question, passages }: GenerateArgument, signal) =>
        generator.generate(question, passages, { signal }),
    },
  };
}

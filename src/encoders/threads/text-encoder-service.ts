import type { ThreadService } from '../../threads/thread-messages.js';
import type { DivisibleTextEncoder, PassageLearner, TextEncoder } from '../encoder.js';

/** What a thread says of its text encoder. */
export function textIdentity({ name, version, dimension }: TextEncoder): ThreadService['identity'] {
  return { name, version, dimension };
}

/** Texts of one call. */
export interface TextsArgument {
  readonly texts: readonly string[];
}

/** Some passages of a fit. Each fit has its number. */
export interface LearnArgument {
  readonly fit: number;
  readonly passages: readonly string[];
}

/** Serves a text encoder in a thread. */
export function serve(encoder: TextEncoder): ThreadService {
  const learners = new Map<number, PassageLearner>();
  const divisible = encoder as DivisibleTextEncoder;
  const takePart = (fit: number) => {
    const learner = learners.get(fit);
    learners.delete(fit);
    return learner;
  };
  return {
    identity: textIdentity(encoder),
    methods: {
      encodeQueries: ({ texts }: TextsArgument, signal) => encoder.encodeQueries(texts, { signal }),
      encodePassages: ({ texts }: TextsArgument, signal) => encoder.encodePassages(texts, { signal }),
      restore: (state: Uint8Array) => divisible.restore(state),
      learn: ({ fit, passages }: LearnArgument) => {
        const learner = learners.get(fit) ?? divisible.learner();
        learners.set(fit, learner);
        learner.learn(passages);
      },
      part: (fit: number) => takePart(fit)?.part(),
      forget: (fit: number) => void takePart(fit),
      fitParts: (parts: readonly Uint8Array[]) => {
        divisible.fitParts(parts);
        return divisible.state();
      },
    },
  };
}

import type { PlaceName } from '../pictures/flag-places.js';

/** How a place is said. */
interface PlaceWords {
  /** Before a noun: "the ... flag". */
  readonly adjective: readonly string[];
  /** After a noun: "the flag ...". */
  readonly at: readonly string[];
}

/** Every way to say a place; training and evaluation both know them all. */
export const PLACE_WORDS: Readonly<Record<PlaceName, PlaceWords>> = {
  left: { adjective: ['left'], at: ['on the left', 'at the left'] },
  right: { adjective: ['right'], at: ['on the right', 'at the right'] },
  upper: { adjective: ['upper', 'top'], at: ['at the top'] },
  lower: { adjective: ['lower', 'bottom'], at: ['at the bottom'] },
  middle: { adjective: ['middle', 'centre'], at: ['in the middle', 'in the centre'] },
  'upper left': corner('upper left', 'top left'),
  'upper right': corner('upper right', 'top right'),
  'lower left': corner('lower left', 'bottom left'),
  'lower right': corner('lower right', 'bottom right'),
};

function corner(...names: readonly string[]): PlaceWords {
  return {
    adjective: names,
    at: names.flatMap((name) => [`at the ${name}`, `in the ${name} corner`]),
  };
}

/**
 * What is said before a question about one of several flags: those that a retriever may be trained on, and those that are
 * kept for evaluation. `{adjective}` and `{at}` stand for words of the place.
 */
export const PLACE_LEADS: {
  readonly training: readonly string[];
  readonly evaluation: readonly string[];
} = {
  training: [
    'Take the {adjective} flag.',
    'Here are some flags; choose the one {at}.',
    'This is about the {adjective} flag.',
    'My question is about the country whose flag is {at}.',
    'Think of the flag that you see {at}.',
    'Of these flags, I mean the {adjective} one.',
    'There is a flag {at}.',
    'Never mind the others: the {adjective} flag counts.',
  ],
  evaluation: [
    'Look at the flag {at}.',
    'Consider only the {adjective} flag.',
    'I want to know something about the place with the flag {at}.',
    'The {adjective} flag is the one that I ask about.',
    'Several flags are shown, and the {adjective} one matters.',
    'Tell me about the place whose flag one sees {at}.',
    'Please look at the {adjective} one of the flags.',
  ],
};

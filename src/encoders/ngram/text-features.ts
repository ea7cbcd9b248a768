import { foldedWords } from '../fold-text.js';
import { hashCodeUnit, hashStart, mixHash } from './feature-hash.js';

/** The kinds of features of a text, in the order of `TextFeatures.groups`. */
export const FEATURE_GROUPS = ['word', 'bigram', 'characters'] as const;

/** Shortest and longest character n-gram. */
const SHORTEST_GRAM = 3;
const LONGEST_GRAM = 5;

const WORD_START = hashStart(1);
const BIGRAM_START = hashStart(2);
const CHARACTERS_START = hashStart(3);
const SPACE = 0x20;

/** Hashed features of one text: per group, 32-bit hash to number of occurrences, in order of first occurrence. */
export interface TextFeatures {
  readonly groups: readonly Map<number, number>[];
}

/**
 * Words, pairs of neighbouring words, and character n-grams of 3 to 5 characters inside words (with a space marking the
 * word's start and end), all folded and hashed.
 *
 * @param times - how often each word counts, by its place among the text's words; default once
 */
export function textFeatures(text: string, times: (place: number) => number = () => 1): TextFeatures {
  const words = new Map<number, number>();
  const bigrams = new Map<number, number>();
  const characters = new Map<number, number>();
  let previous: string | undefined;
  for (const [place, word] of foldedWords(text).entries()) {
    const count = times(place);
    add(words, mixHash(take(WORD_START, word)), count);
    if (previous !== undefined) {
      add(bigrams, mixHash(take(hashCodeUnit(take(BIGRAM_START, previous), SPACE), word)), count);
    }
    addGrams(characters, word, count);
    previous = word;
  }
  return { groups: [words, bigrams, characters] };
}

function take(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = hashCodeUnit(hash, text.charCodeAt(i));
  return hash;
}

function add(counts: Map<number, number>, feature: number, times: number): void {
  counts.set(feature, (counts.get(feature) ?? 0) + times);
}

function addGrams(counts: Map<number, number>, word: string, times: number): void {
  const length = word.length + 2;
  for (let start = 0; start + SHORTEST_GRAM <= length; start++) {
    let hash = CHARACTERS_START;
    const end = Math.min(start + LONGEST_GRAM, length);
    for (let i = start; i < end; i++) {
      hash = hashCodeUnit(hash, i === 0 || i === length - 1 ? SPACE : word.charCodeAt(i - 1));
      if (i - start + 1 >= SHORTEST_GRAM) add(counts, mixHash(hash), times);
    }
  }
}

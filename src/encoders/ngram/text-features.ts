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
    add(words, wordHash(word), count);
    if (previous !== undefined) {
      add(bigrams, bigramHash(bigramStart(previous), word), count);
    }
    for (const gram of characterGrams(word)) add(characters, gram, count);
    previous = word;
  }
  return { groups: [words, bigrams, characters] };
}

/** The hash of a word. */
export function wordHash(word: string): number {
  return mixHash(take(WORD_START, word));
}

/** What `bigramHash` goes on from: the part of the hash that the first word determines. */
export function bigramStart(word: string): number {
  return hashCodeUnit(take(BIGRAM_START, word), SPACE);
}

/** The hash of a pair of words. */
export function bigramHash(start: number, next: string): number {
  return mixHash(take(start, next));
}

/** The hashes of a word's character n-grams, with repeats. */
export function characterGrams(word: string): number[] {
  const grams: number[] = [];
  const length = word.length + 2;
  for (let start = 0; start + SHORTEST_GRAM <= length; start++) {
    let hash = CHARACTERS_START;
    const end = Math.min(start + LONGEST_GRAM, length);
    for (let i = start; i < end; i++) {
      hash = hashCodeUnit(hash, i === 0 || i === length - 1 ? SPACE : word.charCodeAt(i - 1));
      if (i - start + 1 >= SHORTEST_GRAM) grams.push(mixHash(hash));
    }
  }
  return grams;
}

function take(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = hashCodeUnit(hash, text.charCodeAt(i));
  return hash;
}

function add(counts: Map<number, number>, feature: number, times: number): void {
  counts.set(feature, (counts.get(feature) ?? 0) + times);
}

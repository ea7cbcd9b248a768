import { foldedWords } from '../fold-text.js';
import { FeatureSet } from './feature-set.js';
import type { NgramStatistics } from './ngram-statistics.js';
import { bigramHash, bigramStart, characterGrams, wordHash } from './text-features.js';

/** Words that are kept with their hashes. */
const KEPT_WORDS = 1 << 15;
/** Longer words are hashed anew each time: as a key they would keep the text that they were cut from in memory. */
const LONGEST_KEPT = 12;
/** Features whose counts are gathered before they are added to the statistics. */
const GATHERED = 1 << 15;

/** A word's features, and what those of the pair with the next word begin with. */
interface KnownWord {
  readonly hash: number;
  readonly grams: Uint32Array;
  readonly bigramStart: number;
  /** The last passage that it occurred in. */
  passage: number;
}

/**
 * Counts in how many passages each feature occurs, as `NgramStatistics` does for the features of `textFeatures`, several
 * times faster: words recur, so their features are kept; and so do features, so their counts are gathered, for every one that
 * is added to the statistics touches four places in memory far apart.
 */
export class PassageCounter {
  readonly #statistics: NgramStatistics;
  readonly #known = new Map<string, KnownWord>();
  readonly #words = new FeatureSet();
  readonly #bigrams = new FeatureSet();
  readonly #grams = new FeatureSet();
  readonly #features = new Uint32Array(GATHERED);
  readonly #counts = new Uint32Array(GATHERED);
  #passage = 0;

  constructor(statistics: NgramStatistics) {
    this.#statistics = statistics;
  }

  /** Counts one passage. What was counted is in the statistics after `finish`. */
  count(text: string): void {
    this.#passage += 1;
    this.#words.clear();
    this.#bigrams.clear();
    this.#grams.clear();
    let previous: KnownWord | undefined;
    for (const spelled of foldedWords(text)) {
      const word = this.#wordOf(spelled);
      if (word.passage !== this.#passage) {
        word.passage = this.#passage;
        if (this.#words.add(word.hash)) this.#gather(word.hash);
        const { grams } = word;
        for (let i = 0; i < grams.length; i++) {
          if (this.#grams.add(grams[i]!)) this.#gather(grams[i]!);
        }
      }
      if (previous !== undefined) {
        const bigram = bigramHash(previous.bigramStart, spelled);
        if (this.#bigrams.add(bigram)) this.#gather(bigram);
      }
      previous = word;
    }
    this.#statistics.addPassages(1);
  }

  /** Adds what is gathered to the statistics. */
  finish(): void {
    for (let slot = 0; slot < GATHERED; slot++) this.#flush(slot);
  }

  #wordOf(text: string): KnownWord {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const word = {
      hash: wordHash(text),
      grams: Uint32Array.from(characterGrams(text)),
      bigramStart: bigramStart(text),
      passage: 0,
    };
    if (text.length <= LONGEST_KEPT) {
      if (this.#known.size === KEPT_WORDS) this.#known.clear();
      this.#known.set(text, word);
    }
    return word;
  }

  #gather(feature: number): void {
    const slot = feature % GATHERED;
    if (this.#features[slot] !== feature) {
      this.#flush(slot);
      this.#features[slot] = feature;
    }
    this.#counts[slot]! += 1;
  }

  #flush(slot: number): void {
    const count = this.#counts[slot]!;
    if (count > 0) this.#statistics.add(this.#features[slot]!, count);
    this.#counts[slot] = 0;
  }
}

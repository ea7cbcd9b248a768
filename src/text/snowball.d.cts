/** The library of Snowball stemmers, which has no declarations of its own. */
interface Snowball {
  /** A stemmer holds the word that it works on, and so serves one call at a time. */
  newStemmer(algorithm: string): { stem(word: string): string };
  algorithms(): string[];
}

declare function snowball(): Snowball;
export = snowball;

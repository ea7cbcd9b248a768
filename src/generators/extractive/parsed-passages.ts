import { type ParsedPassage, parsePassage } from './passage-parse.js';

/** Passages that are kept parsed, the latest ones. */
const KEPT_PASSAGES = 2048;

/** Parses passages, and keeps the latest. */
export class ParsedPassages {
  readonly #parsed = new Map<string, ParsedPassage>();

  parse(text: string): ParsedPassage {
    const parsed = this.#parsed.get(text) ?? parsePassage(text);
    this.#parsed.delete(text);
    this.#parsed.set(text, parsed);
    if (this.#parsed.size > KEPT_PASSAGES) this.#parsed.delete(this.#parsed.keys().next().value!);
    return parsed;
  }
}

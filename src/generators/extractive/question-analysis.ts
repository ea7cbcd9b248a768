import { GENERIC_WORDS } from './english-words.js';
import { sentences, type Token } from './passage-tokens.js';

/** What an answer should look like, as far as the question's words tell. */
export type AnswerShape = 'any' | 'number' | 'person' | 'time' | 'place';

/** A question, read. */
export interface AnalysedQuestion {
  /** Stems of its content words with their share of a content word's weight, from 0 to 1. */
  readonly words: ReadonlyMap<string, number>;
  /** Stems of the noun phrase that the answer fills: `capital city` in `Which capital city ...`; last one first. */
  readonly focus: readonly string[];
  readonly shape: AnswerShape;
  /** Whether it asks for several things: `Which countries ...`. */
  readonly plural: boolean;
  /** Whether the answer is the subject of the question's verb: `Who painted it?`, unlike `What does it eat?`. */
  readonly asksSubject: boolean;
  /** Stems of its prepositions. */
  readonly prepositions: ReadonlySet<string>;
}

const GENERIC_WEIGHT = 0.5;
/** Of words in a sentence that does not ask. */
const CONTEXT_WEIGHT = 0.1;
const WH_WORD = /^(?:what|which|who|whom|whose|where|when|how|why)$/u;
const IMPERATIVE = /^(?:name|tell|give|say|list|find|state|mention)$/u;
const QUANTITY =
  /^(?:many|much|large|big|long|tall|high|deep|far|old|heavy|wide|fast|often|small|short|cold|hot)$/u;
const COUNTING = /^(?:many|much)$/u;
const TIME_WORD = /^(?:year|date|day|month|century|decade|time)$/u;
const DEICTIC = /^(?:this|the|that|which)$/u;
const POINTED_AT = /^(?:country|place|nation|land|state|person|thing|animal|picture|image|photo|flag|one)$/u;
/** Stem of `called` and `named`; a question's `call`, as in `What do we call it?`, asks for a name too. */
const NAMING = 'nam';
const KIND_OF = /^(?:kind|sort|type)$/u;

/**
 * Reads a question: its content words, what it asks for, and the shape of the answer. Of several sentences the last one asks that has a
 * question word or begins with an imperative; the others tell what it is about, and their words count less.
 */
export function analyseQuestion(question: string): AnalysedQuestion {
  const all = sentences(question).map(({ tokens }) => tokens.filter(({ role }) => role !== 'punctuation'));
  const asked = Math.max(0, all.findLastIndex(asks));
  const read = all[asked] ?? [];
  const start = Math.max(
    0,
    read.findIndex(({ text }) => WH_WORD.test(text.toLowerCase())),
  );
  const focusTokens = focusOf(read, start);
  return {
    words: wordsOf(all, asked, focusTokens),
    focus: focusTokens.map(({ stem }) => stem).reverse(),
    shape: shapeOf(read, start, focusTokens),
    plural: isPlural(focusTokens.at(-1)),
    asksSubject: asksSubject(read, start, focusTokens),
    prepositions: new Set(read.filter(({ role }) => role === 'preposition').map(({ stem }) => stem)),
  };
}

function asks(read: readonly Token[]): boolean {
  return (
    read.some(({ text }) => WH_WORD.test(text.toLowerCase())) ||
    IMPERATIVE.test(read[0]?.text.toLowerCase() ?? '')
  );
}

/** The content words of all sentences, those of the sentence that asks with their full weight. */
function wordsOf(
  all: readonly (readonly Token[])[],
  asked: number,
  focus: readonly Token[],
): Map<string, number> {
  const found = contentWords(all[asked] ?? [], focus);
  for (const [i, read] of all.entries()) {
    if (i === asked) continue;
    for (const [stem, weight] of contentWords(read, [])) {
      if (!found.has(stem)) found.set(stem, weight * CONTEXT_WEIGHT);
    }
  }
  return found;
}

/** The noun phrase after the question word, or after a copula or an imperative that follows it. */
function focusOf(read: readonly Token[], start: number): Token[] {
  let at = start;
  const first = read[at]?.text.toLowerCase() ?? '';
  if (WH_WORD.test(first)) at += 1;
  else if (IMPERATIVE.test(first)) at += 1;
  if (first === 'how' && QUANTITY.test(read[at]?.text.toLowerCase() ?? '')) {
    const measure = read[at]!;
    at += 1;
    if (!COUNTING.test(measure.text)) return [measure, ...nounPhrase(read, at)];
  }
  if (KIND_OF.test(read[at]?.text.toLowerCase() ?? '')) at += 2;
  const direct = nounPhrase(read, at);
  if (direct.length > 0) return direct;
  const isLink = (token: Token | undefined) =>
    token?.role === 'copula' || /^(?:me|us)$/u.test(token?.text ?? '');
  return isLink(read[at]) ? nounPhrase(read, at + 1) : [];
}

function nounPhrase(read: readonly Token[], from: number): Token[] {
  let at = from;
  while (read[at]?.role === 'determiner') at += 1;
  const phrase: Token[] = [];
  for (; at < read.length; at++) {
    const token = read[at]!;
    const joins = token.role === 'function' && /^(?:and|or)$/u.test(token.text) && phrase.length > 0;
    if (token.role !== 'content' && token.role !== 'number' && !joins) break;
    if (!joins) phrase.push(token);
  }
  return phrase;
}

function contentWords(read: readonly Token[], focus: readonly Token[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const [i, token] of read.entries()) {
    const lower = token.text.toLowerCase();
    if (token.role !== 'content' && token.role !== 'verb' && token.role !== 'number') continue;
    if (WH_WORD.test(lower) || COUNTING.test(lower) || (i === 0 && IMPERATIVE.test(lower))) continue;
    const pointedAt = POINTED_AT.test(lower) && DEICTIC.test(read[i - 1]?.text.toLowerCase() ?? '');
    if (pointedAt && !focus.includes(token)) continue;
    const weight = GENERIC_WORDS.has(lower) && !focus.includes(token) ? GENERIC_WEIGHT : 1;
    const stem = lower === 'call' ? NAMING : token.stem;
    found.set(stem, Math.max(weight, found.get(stem) ?? 0));
  }
  return found;
}

function shapeOf(read: readonly Token[], start: number, focus: readonly Token[]): AnswerShape {
  const first = read[start]?.text.toLowerCase() ?? '';
  if (first === 'how' && QUANTITY.test(read[start + 1]?.text.toLowerCase() ?? '')) return 'number';
  if (/^(?:who|whom|whose)$/u.test(first)) return 'person';
  if (first === 'when' || focus.some(({ stem }) => TIME_WORD.test(stem))) return 'time';
  if (first === 'where') return 'place';
  return 'any';
}

function isPlural(head: Token | undefined): boolean {
  return head !== undefined && /[^su]s$/u.test(head.text.toLowerCase());
}

function asksSubject(read: readonly Token[], start: number, focus: readonly Token[]): boolean {
  const last = focus.at(-1);
  const next = read[last === undefined ? start + 1 : read.indexOf(last) + 1];
  return next?.role === 'verb';
}

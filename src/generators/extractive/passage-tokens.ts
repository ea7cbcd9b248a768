import {
  ABBREVIATIONS,
  COPULAS,
  DETERMINERS,
  NUMBER_WORDS,
  OTHER_FUNCTION_WORDS,
  PREPOSITIONS,
  VERBS,
} from './english-words.js';
import { wordStem } from './word-stem.js';

/** The part that a token plays in English prose, as far as short lists tell. */
export type TokenRole =
  | 'content'
  | 'number'
  | 'copula'
  | 'verb'
  | 'determiner'
  | 'preposition'
  | 'function'
  | 'punctuation';

/** A word, number or sign, with its place in the text as UTF-16 offsets. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly role: TokenRole;
  /** `wordStem` of a word; the token itself otherwise. */
  readonly stem: string;
  /** Whether it begins with a capital letter. */
  readonly capital: boolean;
}

const TOKEN =
  /(?<![\p{L}\p{N}])\.[a-z]{2,}|[+-]?\p{N}+(?:[.,:/]\p{N}+)*%?|[\p{L}\p{M}\p{N}]+(?:['’ʻʼ.&-](?=[\p{L}\p{N}])[\p{L}\p{M}\p{N}]+)*|\S/gu;
const WORDLIKE = /[\p{L}\p{N}]/u;
const PAST_FORM = /^[a-z]{3,}[^e]ed$/u;
const CAPITAL = /^[\p{Lu}\p{Lt}]/u;
const LIST_OR_CLAUSE_SIGN = /^[\p{P}]$/u;

/** Splits a text into tokens; abbreviations and initials keep their full stop. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const last = found.at(-1);
    const start = match.index;
    if (
      match[0] === '.' &&
      last !== undefined &&
      last.end === start &&
      keepsFullStop(last, text, start, found.at(-2))
    ) {
      found[found.length - 1] = { ...last, text: `${last.text}.`, end: start + 1 };
    } else {
      found.push(token(match[0], start));
    }
  }
  return found;
}

function token(text: string, start: number): Token {
  return {
    text,
    start,
    end: start + text.length,
    role: roleOf(text),
    stem: WORDLIKE.test(text) ? wordStem(text) : text,
    capital: CAPITAL.test(text),
  };
}

function roleOf(text: string): TokenRole {
  const lower = text.toLowerCase();
  if (LIST_OR_CLAUSE_SIGN.test(lower)) return 'punctuation';
  if (/^[+-]?\p{N}/u.test(lower) || NUMBER_WORDS.has(lower)) return 'number';
  if (COPULAS.has(lower)) return 'copula';
  if (DETERMINERS.has(lower)) return 'determiner';
  if (PREPOSITIONS.has(lower)) return 'preposition';
  if (OTHER_FUNCTION_WORDS.has(lower)) return 'function';
  if (VERBS.has(lower) || PAST_FORM.test(text)) return 'verb';
  return 'content';
}

/** Whether the full stop after `word` is part of it: `St.`, `J.` in `J. Smith`, `D.C.` inside a sentence. */
function keepsFullStop(word: Token, text: string, at: number, before: Token | undefined): boolean {
  if (ABBREVIATIONS.has(word.text.toLowerCase())) return true;
  const following = /^\.\s+(\S+)/u.exec(text.slice(at, at + 40))?.[1];
  if (/^\p{L}(?:\.\p{L})+$/u.test(word.text)) {
    return following === undefined || !CAPITAL.test(following) || roleOf(following) === 'content';
  }
  const initial = /^\p{Lu}$/u.test(word.text) && word.text !== 'I';
  return (
    initial && following !== undefined && CAPITAL.test(following) && (before === undefined || before.capital)
  );
}

/** A sentence: its tokens without the sign that ends it. */
export interface Sentence {
  readonly tokens: readonly Token[];
}

/** Splits tokens into sentences at `.`, `!`, `?` and line breaks. */
export function sentences(text: string): Sentence[] {
  const found: Sentence[] = [];
  let current: Token[] = [];
  const close = () => {
    if (current.length > 0) found.push({ tokens: current });
    current = [];
  };
  for (const token of tokens(text)) {
    const last = current.at(-1);
    if (last !== undefined && text.slice(last.end, token.start).includes('\n')) close();
    if (/^[.!?]$/u.test(token.text)) close();
    else current.push(token);
  }
  close();
  return found;
}

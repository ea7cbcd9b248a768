import type { Sentence, Token } from './passage-tokens.js';

/** A span that may be an answer: the tokens `first` to `last`, both included, of one sentence. */
export interface AnswerCandidate {
  readonly sentence: number;
  readonly first: number;
  readonly last: number;
  /** A list of several noun phrases, one noun phrase of a list, or a noun phrase by itself. */
  readonly form: 'list' | 'item' | 'phrase';
  /** Whether its noun phrase, or its list, goes on to the left or to the right. */
  readonly cutLeft: boolean;
  readonly cutRight: boolean;
}

const LONGEST_PHRASE = 12;

/**
 * The spans of a sentence that may be answers: noun phrases as far as word lists find them (runs of content words and
 * numbers, joined by `of` between capitalised ones, with what stands in brackets), their capitalised and numeric parts,
 * and lists of such phrases joined by commas, `and` and `or` within one clause.
 *
 * @param clauses - per token, the number of its clause
 */
export function answerCandidates(
  { tokens }: Sentence,
  clauses: readonly number[],
  sentence: number,
): AnswerCandidate[] {
  const found = new Map<string, AnswerCandidate>();
  const add = (form: AnswerCandidate['form'], [first, last]: Range, [from, to]: Range) => {
    const key = `${first} ${last}`;
    if (found.has(key)) return;
    found.set(key, { sentence, first, last, form, cutLeft: first > from, cutRight: last < to });
  };
  for (const list of lists(tokens, clauses, nounPhrases(tokens))) {
    for (const [from, to] of listParts(tokens, list)) {
      add('list', [list[from]![0], list[to]![1]], [list[from]![0], list[to]![1]]);
    }
    const form = list.length === 1 ? 'phrase' : 'item';
    for (const phrase of list) {
      add(form, phrase, phrase);
      for (const part of parts(tokens, phrase)) add(form, part, phrase);
    }
  }
  return [...found.values()].filter(
    ({ first, last, form }) => form === 'list' || last - first < LONGEST_PHRASE,
  );
}

type Range = readonly [first: number, last: number];

function isNominal(token: Token | undefined): boolean {
  return token !== undefined && (token.role === 'content' || token.role === 'number');
}

/** Maximal noun phrases, in order. */
function nounPhrases(tokens: readonly Token[]): Range[] {
  const phrases: Range[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (!isNominal(tokens[at])) continue;
    const first = at;
    for (let next = continuation(tokens, at); next !== undefined; next = continuation(tokens, at)) at = next;
    phrases.push([first, at]);
  }
  return phrases;
}

/** The token up to which the phrase that has reached `at` goes on, or undefined where it ends. */
function continuation(tokens: readonly Token[], at: number): number | undefined {
  const next = tokens[at + 1];
  if (isNominal(next)) return at + 1;
  if (next?.text === '(') {
    const close = tokens.findIndex(({ text }, i) => i > at && text === ')');
    const inside = close === -1 ? [] : tokens.slice(at + 2, close);
    return inside.length > 0 && inside.length <= 3 && inside.every(isNominal) ? close : undefined;
  }
  if (next?.text === 'of' && tokens[at]!.capital) {
    const past = tokens[at + 2]?.text === 'the' ? at + 3 : at + 2;
    return tokens[past]?.capital && isNominal(tokens[past]) ? past : undefined;
  }
  return undefined;
}

/** Phrases grouped into lists: neighbours in a clause with only a comma, `and` or `or` (and a determiner) between. */
function lists(tokens: readonly Token[], clauses: readonly number[], phrases: readonly Range[]): Range[][] {
  const found: Range[][] = [];
  for (const phrase of phrases) {
    const current = found.at(-1);
    const previous = current?.at(-1);
    const joined =
      previous !== undefined &&
      clauses[previous[1]] === clauses[phrase[0]] &&
      joinsList(tokens.slice(previous[1] + 1, phrase[0]));
    if (joined) current!.push(phrase);
    else found.push([phrase]);
  }
  return found;
}

function joinsList(between: readonly Token[]): boolean {
  const signs = between.filter(({ role }) => role !== 'determiner').map(({ text }) => text);
  return signs.length > 0 && signs.length <= 2 && signs.every((sign) => /^(?:,|and|or)$/u.test(sign));
}

/** The parts of a list that may be meant: all of it, up to its last `and`, and its runs of phrases of one kind. */
function listParts(tokens: readonly Token[], list: readonly Range[]): Range[] {
  const end = list.length - 1;
  if (end === 0) return [];
  const found: Range[] = [[0, end]];
  for (let item = end; item > 0; item--) {
    const between = tokens.slice(list[item - 1]![1] + 1, list[item]![0]);
    if (!between.some(({ text }) => text === 'and' || text === 'or')) continue;
    found.push([0, item]);
    break;
  }
  let start = 0;
  for (let item = 1; item <= end + 1; item++) {
    if (item <= end && kindOf(tokens[list[item]![0]]!) === kindOf(tokens[list[start]![0]]!)) continue;
    if (item - start > 1) found.push([start, item - 1]);
    start = item;
  }
  return found;
}

/** The kind of thing that a phrase of a list opens with. */
export function kindOf(token: Token): string {
  if (token.capital) return 'name';
  return /\p{N}/u.test(token.text) ? 'number' : /^\p{L}/u.test(token.text) ? 'word' : 'sign';
}

/** Parts of a phrase that may answer by themselves: runs of capitalised words, and numbers. */
function parts(tokens: readonly Token[], [first, last]: Range): Range[] {
  const found: Range[] = [];
  for (let at = first; at <= last; at++) {
    const token = tokens[at]!;
    if (/^[+-]?\p{N}/u.test(token.text)) found.push([at, at]);
    if (!token.capital) continue;
    const start = at;
    while (at < last && tokens[at + 1]!.capital) at += 1;
    found.push([start, at]);
  }
  const open = tokens.findIndex(({ text }, i) => i > first && i < last && text === '(');
  if (open > 0) found.push([first, open - 1]);
  return found;
}

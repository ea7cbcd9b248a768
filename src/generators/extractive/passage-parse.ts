import { normaliseAnswer } from '../normalise-answer.js';
import { type AnswerCandidate, answerCandidates } from './answer-candidates.js';
import { type Sentence, sentences, type Token } from './passage-tokens.js';

/** A candidate answer with its text. */
export interface ParsedCandidate extends AnswerCandidate {
  readonly text: string;
  /** UTF-16 offsets of `text` in the passage. */
  readonly span: readonly [start: number, end: number];
  /** `normaliseAnswer(text)`; never empty. */
  readonly normalised: string;
}

/** A sentence with the stems of its tokens. */
export interface ParsedSentence extends Sentence {
  readonly stems: ReadonlySet<string>;
  /** Per token, the number of its clause. */
  readonly clauses: readonly number[];
}

/** What a passage says, whatever the question. */
export interface ParsedPassage {
  /** Stems of the heading's words, where the passage has a heading. */
  readonly title: ReadonlySet<string>;
  /** All sentences, the heading's included. */
  readonly sentences: readonly ParsedSentence[];
  /** Candidates of all sentences but the heading. */
  readonly candidates: readonly ParsedCandidate[];
}

const LONGEST_HEADING = 12;

/** Finds a passage's heading, sentences and candidate answers. */
export function parsePassage(text: string): ParsedPassage {
  const all = sentences(text).map((sentence) => ({
    ...sentence,
    stems: new Set(sentence.tokens.map(({ stem }) => stem)),
    clauses: clausesOf(sentence.tokens),
  }));
  const heading = headingOf(all);
  const candidates: ParsedCandidate[] = [];
  for (const [number, { tokens, clauses }] of all.entries()) {
    if (number === 0 && heading !== undefined) continue;
    for (const candidate of answerCandidates({ tokens }, clauses, number)) {
      const span = [tokens[candidate.first]!.start, tokens[candidate.last]!.end] as const;
      const answer = text.slice(...span);
      const normalised = normaliseAnswer(answer);
      if (normalised !== '') candidates.push({ ...candidate, text: answer, span, normalised });
    }
  }
  const titleNouns = (heading ?? []).filter(({ role }) => role === 'content' || role === 'number');
  return { title: new Set(titleNouns.map(({ stem }) => stem)), sentences: all, candidates };
}

/**
 * A first sentence that is a short phrase without a verb is the passage's heading: it names the subject and holds no
 * answer. What stands before its colon is the title.
 */
function headingOf(all: readonly Sentence[]): readonly Token[] | undefined {
  const first = all[0]?.tokens ?? [];
  const isHeading =
    all.length > 1 &&
    first.length <= LONGEST_HEADING &&
    !first.some(({ role }) => role === 'copula' || role === 'verb');
  if (!isHeading) return undefined;
  const colon = first.findIndex(({ text }) => text === ':');
  return first.slice(0, colon === -1 ? first.length : colon);
}

/**
 * Splits a sentence into clauses: at a semicolon, and between two verbs at the last comma, `and` or `but` that has the
 * second verb's subject behind it.
 */
function clausesOf(tokens: readonly Token[]): number[] {
  const starts = new Set<number>();
  let separator: number | undefined;
  let verbSeen = false;
  for (const [i, { text, role }] of tokens.entries()) {
    if (text === ';') {
      starts.add(i + 1);
      verbSeen = false;
      separator = undefined;
    } else if (/^(?:,|and|but)$/u.test(text)) {
      separator = i;
    } else if (role === 'copula' || role === 'verb') {
      if (verbSeen && separator !== undefined && separator < i - 1) starts.add(separator + 1);
      verbSeen = true;
      separator = undefined;
    }
  }
  let clause = 0;
  return tokens.map((_, i) => (starts.has(i) ? ++clause : clause));
}

import type { AnswerCandidate } from './answer-candidates.js';
import type { ParsedSentence } from './passage-parse.js';
import type { Token } from './passage-tokens.js';
import type { AnalysedQuestion } from './question-analysis.js';

/** How a candidate stands in its clause to the words of the question; strengths are from 0 to 1. */
export interface ClauseRelations {
  /** The token before the candidate, determiners passed over. */
  readonly left: Token | undefined;
  /** `the <focus> of X is <candidate>`: the subject's first noun phrase is the focus. */
  readonly subjectHeadFocus: number;
  /** The same with the focus anywhere in the subject. */
  readonly subjectFocus: number;
  /** `<candidate> is the <focus> of X`. */
  readonly predicateFocus: number;
  /** The focus stands directly before or after the candidate. */
  readonly adjacentFocus: number;
  /** `the <focus> of <candidate>`: `the city of Cologne`. */
  readonly ofFocus: number;
  /** `the <focus>, <candidate>` or `<candidate>, the <focus>`. */
  readonly appositionFocus: number;
  /** The candidate ends in the focus and has more words: `North Sea` for `Which sea`. */
  readonly focusInSpan: boolean;
  /** `borders <candidate>`, `end in <candidate>`: the verb, and the preposition, are the question's. */
  readonly afterMatchedVerb: boolean;
  /** `end at <candidate>`: the verb is the question's, the preposition is not. */
  readonly otherPreposition: boolean;
  /** `<candidate> painted`, `<candidate> was painted`. */
  readonly beforeMatchedVerb: boolean;
}

/** Strength of a match of the focus without its head noun. */
const MODIFIER_ONLY = 0.3;
const PREDICATE_REACH = 7;

export function clauseRelations(
  { tokens, clauses }: ParsedSentence,
  { first, last }: AnswerCandidate,
  question: AnalysedQuestion,
): ClauseRelations {
  const strength = (part: readonly (Token | undefined)[]) => focusStrength(part, question.focus);
  let leftAt = first - 1;
  while (tokens[leftAt]?.role === 'determiner') leftAt -= 1;
  const left = tokens[leftAt];
  const right = tokens[last + 1];
  const subject = left?.role === 'copula' ? tokens.slice(clauses.indexOf(clauses[leftAt]!), leftAt) : [];
  const following = clauseAfter(tokens, last + 1);
  const verbBefore = left?.role === 'preposition' || left?.role === 'function' ? tokens[leftAt - 1] : left;
  const foreign = left?.role === 'preposition' && !question.prepositions.has(left.stem);
  const verbAfter = right?.role === 'copula' ? tokens[last + 2] : right;
  const matches = (token: Token | undefined) =>
    token !== undefined &&
    question.words.has(token.stem) &&
    (token.role === 'verb' || token.role === 'content');
  const links =
    right?.role === 'copula' || (right?.role === 'verb' && tokens[last + 2]?.role === 'preposition');
  return {
    left,
    subjectHeadFocus: strength(headOf(subject)),
    subjectFocus: strength(subject),
    predicateFocus: links ? strength(following) : 0,
    adjacentFocus: Math.max(strength([tokens[first - 1]]), strength([right])),
    ofFocus: left?.text === 'of' ? strength(phraseBefore(tokens, leftAt)) : 0,
    appositionFocus: Math.max(
      left?.text === ',' ? strength(tokens.slice(Math.max(0, leftAt - 4), leftAt)) : 0,
      right?.text === ',' ? strength(following.slice(1, 6)) : 0,
    ),
    focusInSpan: last > first && question.focus[0] !== undefined && tokens[last]!.stem === question.focus[0],
    afterMatchedVerb: matches(verbBefore) && !foreign,
    otherPreposition: matches(verbBefore) && foreign,
    beforeMatchedVerb: verbAfter?.role === 'verb' && matches(verbAfter),
  };
}

function focusStrength(part: readonly (Token | undefined)[], focus: readonly string[]): number {
  const [head, ...modifiers] = focus;
  const has = (stem: string) => part.some((token) => token?.stem === stem);
  const matched = modifiers.filter(has).length / Math.max(1, modifiers.length);
  if (head === undefined || !has(head)) return MODIFIER_ONLY * matched;
  return modifiers.length === 0 ? 1 : 1 - MODIFIER_ONLY * (1 - matched);
}

/** The subject's first noun phrase: up to a preposition, a verb, a comma or a relative pronoun. */
function headOf(subject: readonly Token[]): readonly Token[] {
  const end = subject.findIndex(
    ({ role, text }, i) =>
      i > 0 && (role === 'preposition' || role === 'verb' || /^(?:,|that|which|who)$/u.test(text)),
  );
  return end === -1 ? subject : subject.slice(0, end);
}

/** A few tokens from `from` on, up to the end of the clause. */
function clauseAfter(tokens: readonly Token[], from: number): readonly Token[] {
  const part = tokens.slice(from, from + PREDICATE_REACH);
  const end = part.findIndex(({ text }, i) => i > 0 && /^[;:,]$/u.test(text));
  return end === -1 ? part : part.slice(0, end);
}

/** The noun phrase that ends before `end`. */
function phraseBefore(tokens: readonly Token[], end: number): readonly Token[] {
  let start = end;
  while (
    start > 0 &&
    (tokens[start - 1]!.role === 'content' || /^(?:and|or)$/u.test(tokens[start - 1]!.text))
  )
    start -= 1;
  return tokens.slice(start, end);
}

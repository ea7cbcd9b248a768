import { kindOf } from './answer-candidates.js';
import { type ClauseRelations, clauseRelations } from './clause-relations.js';
import type { ParsedCandidate, ParsedPassage, ParsedSentence } from './passage-parse.js';
import type { Token } from './passage-tokens.js';
import type { AnalysedQuestion } from './question-analysis.js';

/** What a candidate is judged by; each feature is a number of about 0 to 1. */
export const CANDIDATE_FEATURES = [
  'coverage',
  'relativeCoverage',
  'clauseCoverage',
  'proximity',
  'focusInSentence',
  'subjectFocus',
  'subjectFocusPart',
  'predicateFocus',
  'adjacentFocus',
  'ofFocus',
  'appositionFocus',
  'focusInSpan',
  'objectOfVerb',
  'objectThoughSubjectAsked',
  'subjectOfVerb',
  'subjectThoughObjectAsked',
  'otherPreposition',
  'afterVerb',
  'afterCopula',
  'afterPreposition',
  'afterColon',
  'opensSentence',
  'holdsQuestionWord',
  'isTitle',
  'holdsTitle',
  'cutLeft',
  'cutRight',
  'length',
  'capitals',
  'lowerCase',
  'mixedList',
  'listForPlural',
  'itemForPlural',
  'listForSingular',
  'itemForSingular',
  'numberForNumber',
  'otherForNumber',
  'unitFollows',
  'numberForOther',
  'digitsForTime',
  'otherForTime',
  'capitalsForPerson',
  'placeAfterPreposition',
  'numberWord',
  'sign',
] as const;

/** Name of a feature. */
export type CandidateFeature = (typeof CANDIDATE_FEATURES)[number];

const PLACES = Object.fromEntries(CANDIDATE_FEATURES.map((name, place) => [name, place])) as Record<
  CandidateFeature,
  number
>;

/** Judges the candidates of one passage for one question. */
export class CandidateReader {
  readonly #question: AnalysedQuestion;
  readonly #passage: ParsedPassage;
  readonly #weights: ReadonlyMap<string, number>;
  readonly #total: number;
  readonly #bestCoverage: number;

  /**
   * @param weights - per stem of the question, how much it counts in this passage
   * @param coverages - per sentence, the share of that weight that it holds
   */
  constructor(
    question: AnalysedQuestion,
    passage: ParsedPassage,
    weights: ReadonlyMap<string, number>,
    coverages: readonly number[],
  ) {
    this.#question = question;
    this.#passage = passage;
    this.#weights = weights;
    this.#total = Math.max(
      1e-9,
      [...weights.values()].reduce((sum, weight) => sum + weight, 0),
    );
    this.#bestCoverage = Math.max(1e-9, ...coverages);
  }

  /** The candidate's features, in the order of `CANDIDATE_FEATURES`. */
  features(candidate: ParsedCandidate): Float64Array {
    const sentence = this.#passage.sentences[candidate.sentence]!;
    const values = new Float64Array(CANDIDATE_FEATURES.length);
    const set = (name: CandidateFeature, value: number | boolean) => {
      values[PLACES[name]] = Number(value);
    };
    const relations = clauseRelations(sentence, candidate, this.#question);
    this.#setOverlap(set, sentence, candidate);
    setRelations(set, relations, this.#question);
    this.#setForm(set, sentence.tokens, candidate, relations);
    setShape(set, sentence.tokens, candidate, this.#question, relations);
    return values;
  }

  /** How many of the question's words stand around the candidate, and how near. */
  #setOverlap(set: Setter, { tokens, stems, clauses }: ParsedSentence, candidate: ParsedCandidate): void {
    const nearest = new Map<string, number>();
    const inClause = new Set<string>();
    const clause = clauses[candidate.first];
    for (const [i, { stem }] of tokens.entries()) {
      if (!this.#weights.has(stem) || (i >= candidate.first && i <= candidate.last)) continue;
      const distance = i < candidate.first ? candidate.first - i : i - candidate.last;
      nearest.set(stem, Math.min(distance, nearest.get(stem) ?? distance));
      if (clauses[i] === clause) inClause.add(stem);
    }
    let coverage = 0;
    let proximity = 0;
    let clauseCoverage = 0;
    for (const [stem, distance] of nearest) {
      const share = this.#weights.get(stem)! / this.#total;
      coverage += share;
      if (inClause.has(stem)) clauseCoverage += share;
      proximity += share / (1 + distance / 4);
    }
    set('coverage', coverage);
    set('relativeCoverage', coverage / this.#bestCoverage);
    set('clauseCoverage', clauseCoverage);
    set('proximity', proximity);
    const [head, ...modifiers] = this.#question.focus;
    const heads = head !== undefined && stems.has(head) ? 0.6 : 0;
    const others =
      modifiers.length === 0
        ? heads / 1.5
        : (0.4 * count(modifiers, (stem) => stems.has(stem))) / modifiers.length;
    set('focusInSentence', heads + others);
  }

  /** How the candidate looks, whatever the question asks for. */
  #setForm(
    set: Setter,
    tokens: readonly Token[],
    { first, last, form, cutLeft, cutRight }: ParsedCandidate,
    relations: ClauseRelations,
  ): void {
    const span = tokens.slice(first, last + 1);
    const words = span.filter(isNominal);
    const share = (test: (token: Token) => boolean) => count(words, test) / Math.max(1, words.length);
    const inTitle = share(({ stem }) => this.#passage.title.has(stem));
    set(
      'holdsQuestionWord',
      share(({ stem }) => this.#weights.has(stem)),
    );
    const said = Math.max(relations.subjectFocus, relations.predicateFocus);
    set('isTitle', words.length > 0 && inTitle === 1 ? 1 - said : 0);
    set('holdsTitle', inTitle);
    set('cutLeft', cutLeft);
    set('cutRight', cutRight);
    set('length', Math.log2(1 + words.length) / 4);
    set(
      'capitals',
      share(({ capital }) => capital),
    );
    set(
      'lowerCase',
      share(({ capital, text }) => !capital && !/\p{N}/u.test(text)),
    );
    set('mixedList', form === 'list' && isMixed(span));
    set('sign', !span.some(({ text }) => /[\p{L}\p{N}]/u.test(text)));
  }
}

type Setter = (name: CandidateFeature, value: number | boolean) => void;

/** How the candidate's place in its clause fits the question. */
function setRelations(set: Setter, relations: ClauseRelations, { asksSubject }: AnalysedQuestion): void {
  set('subjectFocus', relations.subjectHeadFocus);
  set('subjectFocusPart', relations.subjectFocus);
  set('predicateFocus', relations.predicateFocus);
  set('adjacentFocus', relations.adjacentFocus);
  set('ofFocus', relations.ofFocus);
  set('appositionFocus', relations.appositionFocus);
  set('focusInSpan', relations.focusInSpan);
  set('objectOfVerb', !asksSubject && relations.afterMatchedVerb);
  set('objectThoughSubjectAsked', asksSubject && relations.afterMatchedVerb);
  set('subjectOfVerb', asksSubject && relations.beforeMatchedVerb);
  set('subjectThoughObjectAsked', !asksSubject && relations.beforeMatchedVerb);
  set('otherPreposition', relations.otherPreposition);
  set('afterVerb', relations.left?.role === 'verb');
  set('afterCopula', relations.left?.role === 'copula');
  set('afterPreposition', relations.left?.role === 'preposition');
  set('afterColon', relations.left?.text === ':');
  set('opensSentence', relations.left === undefined);
}

/** Whether the candidate is the kind of thing that the question asks for. */
function setShape(
  set: Setter,
  tokens: readonly Token[],
  { first, last, form }: ParsedCandidate,
  { shape, plural, focus }: AnalysedQuestion,
  { left }: ClauseRelations,
): void {
  const span = tokens.slice(first, last + 1);
  const digits = span.some(({ text }) => /\p{N}/u.test(text));
  const number = digits || span.some(({ role }) => role === 'number');
  const capital = span.some((token) => token.capital);
  set('listForPlural', plural && form === 'list');
  set('itemForPlural', plural && form === 'item');
  set('listForSingular', !plural && form === 'list');
  set('itemForSingular', !plural && form === 'item');
  set('numberForNumber', shape === 'number' && number);
  set('otherForNumber', shape === 'number' && !number);
  const unit =
    shape === 'number' && number && tokens.slice(first, last + 3).some(({ stem }) => focus.includes(stem));
  set('unitFollows', unit);
  set('numberForOther', shape !== 'number' && shape !== 'time' && number);
  set('digitsForTime', shape === 'time' && digits);
  set('otherForTime', shape === 'time' && !digits);
  set('capitalsForPerson', shape === 'person' && capital);
  set('placeAfterPreposition', shape === 'place' && left?.role === 'preposition' && capital);
  set('numberWord', number && !digits);
}

function isNominal(token: Token | undefined): boolean {
  return token?.role === 'content' || token?.role === 'number';
}

function count<T>(items: readonly T[], test: (item: T) => boolean): number {
  return items.filter(test).length;
}

/** Whether a list's phrases differ in kind: capitalised, numeric or neither, with or without a determiner. */
function isMixed(list: readonly Token[]): boolean {
  const kinds = new Set<string>();
  let determined = '';
  let opens = true;
  for (const token of list) {
    if (/^(?:,|and|or)$/u.test(token.text)) {
      opens = true;
      determined = '';
    } else if (token.role === 'determiner') {
      determined = 'determined ';
    } else if (opens) {
      kinds.add(kindOf(token) === 'word' ? `${determined}word` : kindOf(token));
      opens = false;
    }
  }
  return kinds.size > 1;
}

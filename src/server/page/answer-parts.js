// @ts-check
// The parts of an answer that need no interaction.
import { element, percent } from './elements.js';

/** @typedef {import('../schemas.js').AnswerBody} Answer */
/** @typedef {import('../schemas.js').StageBody} Stage */

/**
 * Labelled bars of probabilities.
 *
 * @param {readonly (readonly [label: string, probability: number])[]} rows
 */
export function bars(rows) {
  const list = element('dl', { class: 'bars' });
  for (const [label, probability] of rows) {
    const fill = element('span');
    fill.style.width = `${100 * probability}%`;
    const bar = element(
      'div',
      {
        class: 'bar',
        role: 'meter',
        'aria-label': label,
        'aria-valuemin': '0',
        'aria-valuemax': '100',
        'aria-valuenow': (100 * probability).toFixed(1),
      },
      fill,
    );
    list.append(element('dt', {}, label), element('dd', {}, bar), element('dd', {}, percent(probability)));
  }
  return list;
}

/**
 * The factors of the selected path, or nothing where there is no answer.
 *
 * @param {Answer} answer
 */
export function pathBars({ probabilities, entity }) {
  if (probabilities === null) return undefined;
  return bars([
    [entity === null ? 'no entity' : `entity: ${entity.title}`, probabilities.entity],
    ['passage, given the entity', probabilities.passage],
    ['answer, given the passage', probabilities.answer],
    ['all three', probabilities.joint],
  ]);
}

/** Passages that are shown without being asked for. */
const FIRST_PASSAGES = 4;

/**
 * Passages with their best answers marked: the answer's own first, then by their probability; most of them folded away.
 *
 * @param {Answer} answer
 */
export function passageLists(answer) {
  const { entities, entity, passages, passage: selected } = answer;
  // Several entities may bring one passage; the answer's path leads through one of them.
  const own = passages.find(
    (hit) =>
      hit.passage.id === selected?.id &&
      (hit.entity === null ? entity === null : entities[hit.entity]?.entity.id === entity?.id),
  );
  const others = passages.filter((hit) => hit !== own).map((hit) => passageItem(entities, hit, null));
  const items = own === undefined ? others : [passageItem(entities, own, answer.span), ...others];
  const first = element('ol', { class: 'passages' }, ...items.slice(0, FIRST_PASSAGES));
  const rest = items.slice(FIRST_PASSAGES);
  if (rest.length === 0) return [first];
  const summary = element('summary', {}, `${rest.length} more passages`);
  return [first, element('details', {}, summary, element('ol', { class: 'passages' }, ...rest))];
}

/**
 * @param {Answer['entities']} entities
 * @param {Answer['passages'][number]} hit
 * @param {readonly number[] | null} span of the answer, where this is its passage
 */
function passageItem(entities, { passage, probability, entity, answers }, span) {
  const best = answers[0];
  const title = entity === null ? passage.entity : (entities[entity]?.entity.title ?? passage.entity);
  const said = best === undefined ? 'no answer in it' : `“${best.text}” ${percent(best.probability)}`;
  return element(
    'li',
    span === null ? {} : { class: 'selected' },
    element('p', { class: 'facts' }, `${title} · ${passage.id} · ${percent(probability)} · ${said}`),
    markedText(passage.text, span ?? best?.span ?? null),
  );
}

/**
 * @param {string} text
 * @param {readonly number[] | null} span in UTF-16 units
 */
function markedText(text, span) {
  const [start = 0, end = 0] = span ?? [];
  if (end <= start) return element('p', { class: 'text' }, text);
  return element(
    'p',
    { class: 'text' },
    text.slice(0, start),
    element('mark', {}, text.slice(start, end)),
    text.slice(end),
  );
}

/** Stages of an answer that add up to the whole; the others are parts of these. */
const STAGES = ['entities', 'passages', 'answers', 'selection'];

/**
 * The time of each stage.
 *
 * @param {Readonly<Record<string, number>>} timings in milliseconds
 */
export function stageTimes(timings) {
  const total = timings['total'] ?? 0;
  const list = element('dl', { class: 'bars' });
  for (const [stage, time] of Object.entries(timings).filter(([name]) => name !== 'total')) {
    const fill = element('span');
    fill.style.width = total > 0 ? `${Math.min(100, (100 * time) / total)}%` : '0';
    const label = STAGES.includes(stage) ? stage : `· ${stage}`;
    list.append(
      element('dt', {}, label),
      element('dd', {}, element('div', { class: 'bar', 'aria-hidden': 'true' }, fill)),
      element('dd', {}, `${time.toFixed(1)} ms`),
    );
  }
  list.append(element('dt', {}, 'total'), element('dd'), element('dd', {}, `${total.toFixed(1)} ms`));
  return list;
}

/**
 * What was done, in order.
 *
 * @param {readonly Stage[]} trace
 */
export function traceList(trace) {
  return element('ol', { class: 'trace' }, ...trace.map((stage) => traceItem(stage)));
}

/** @param {Stage} stage */
function traceItem(stage) {
  const [heading, lines] = described(stage);
  const item = element('li', {}, heading);
  if (lines.length > 0) item.append(element('ul', {}, ...lines.map((line) => element('li', {}, line))));
  return item;
}

/**
 * @param {Stage} stage
 * @returns {[heading: string, lines: string[]]}
 */
function described(stage) {
  switch (stage.step) {
    case 'entities':
      if (stage.source === 'none') return ['No picture: the question is searched as it stands.', []];
      if (stage.found.length === 0) return ['The picture shows no known entity.', []];
      return [
        stage.source === 'given' ? 'The entity was given:' : 'The picture may show:',
        stage.found.map(({ title, probability }) => `${percent(probability)}  ${title}`),
      ];
    case 'expansion':
      return ['Passages are searched for:', stage.queries.map((query) => `“${query}”`)];
    case 'passages':
      return [
        stage.found.length === 0 ? 'No passage was found.' : 'Passages found:',
        stage.found.map(({ id, probability }) => `${percent(probability)}  ${id}`),
      ];
    case 'answers':
      return [
        stage.found.length === 0
          ? `The ${stage.generator} found no answer in them.`
          : `Answers of the ${stage.generator}:`,
        stage.found.map(({ passage, text, probability }) => `${percent(probability)}  ${text}  (${passage})`),
      ];
    case 'selection': {
      if (stage.answer === null) return ['No answer.', []];
      const rule = stage.by === 'joint' ? 'the likeliest path' : 'the vote of all paths';
      const other = stage.by === 'joint' ? 'the vote of all paths' : 'the likeliest path';
      return [
        `Answer by ${rule}: ${stage.answer}`,
        stage.otherwise === null ? [] : [`By ${other} it would be: ${stage.otherwise}`],
      ];
    }
  }
}

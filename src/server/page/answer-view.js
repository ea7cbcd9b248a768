// @ts-check
import { passageLists, pathBars, stageTimes, traceList } from './answer-parts.js';
import { element, percent } from './elements.js';
import { patchView } from './patch-view.js';
import { imageUrl } from './server-calls.js';

/** @typedef {import('../schemas.js').AnswerBody} Answer */
/** @typedef {import('../schemas.js').StageBody} Stage */

/** Shows the stages of an answer as they come, and then the answer. */
export class AnswerView {
  #place;
  /** @type {Stage[]} */
  #stages = [];
  /** @type {string[]} */
  #urls = [];
  #generation = 0;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  clear() {
    this.#generation += 1;
    this.#stages = [];
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.#place.replaceChildren();
  }

  /** @param {Stage} stage */
  showStage(stage) {
    this.#stages.push(stage);
    this.#place.replaceChildren(
      element('div', { class: 'panel' }, element('h2', {}, 'Working'), traceList(this.#stages)),
    );
  }

  /**
   * @param {Answer} answer
   * @param {Blob | undefined} picture
   */
  async showAnswer(answer, picture) {
    const generation = this.#generation;
    const heading =
      answer.answer === null
        ? element('p', { class: 'no-answer' }, 'No passage gives an answer.')
        : element('p', { class: 'answer', id: 'answer' }, answer.answer);
    const path = pathBars(answer);
    const first = panel('Answer', heading);
    if (answer.entity !== null)
      first.append(element('p', { class: 'quiet' }, `about ${answer.entity.title}`));
    if (path !== undefined) first.append(path);

    const matches = element('div', { class: 'panel' });
    const entities = await this.#entities(answer, picture, matches);
    if (generation !== this.#generation) return;
    const trace = element(
      'details',
      { class: 'panel' },
      element('summary', {}, 'How the answer came about'),
      traceList(answer.trace),
    );
    this.#place.replaceChildren(
      first,
      ...(entities === undefined ? [] : [element('div', { class: 'columns' }, entities, matches)]),
      panel('Passages', ...passageLists(answer)),
      panel('Time', stageTimes(answer.timings)),
      trace,
    );
  }

  /**
   * The entities as buttons; the one that is chosen is compared with the picture.
   *
   * @param {Answer} answer
   * @param {Blob | undefined} picture
   * @param {HTMLElement} matches
   */
  async #entities({ entities, entity }, picture, matches) {
    if (entities.length === 0) return undefined;
    const urls = await Promise.all(entities.map((hit) => this.#imageOf(hit.entity.images[0])));
    const pictureUrl = picture === undefined ? undefined : this.#keep(URL.createObjectURL(picture));
    /** @type {HTMLButtonElement[]} */
    const buttons = [];
    /** @param {number} chosen */
    const choose = (chosen) => {
      const hit = entities[chosen];
      const url = urls[chosen];
      if (hit === undefined) return;
      for (const [i, button] of buttons.entries()) button.setAttribute('aria-pressed', String(i === chosen));
      matches.replaceChildren(element('h2', {}, 'Matching patches'));
      matches.append(
        pictureUrl === undefined || url === undefined
          ? element('p', { class: 'quiet' }, 'There is no picture to compare.')
          : patchView(pictureUrl, url, hit),
      );
    };
    for (const [i, hit] of entities.entries()) {
      const url = urls[i];
      const image = url === undefined ? element('span') : element('img', { src: url, alt: '' });
      const button = element(
        'button',
        { type: 'button' },
        image,
        element('span', {}, hit.entity.title),
        element('span', {}, percent(hit.probability)),
      );
      button.addEventListener('click', () => choose(i));
      buttons.push(button);
    }
    choose(
      Math.max(
        0,
        entities.findIndex((hit) => hit.entity.id === entity?.id),
      ),
    );
    const list = element('ul', { class: 'entities' }, ...buttons.map((button) => element('li', {}, button)));
    return panel('Entities', list);
  }

  /** @param {string | undefined} id */
  async #imageOf(id) {
    return id === undefined
      ? undefined
      : imageUrl(id).then(
          (url) => this.#keep(url),
          () => undefined,
        );
  }

  /** @param {string} url revoked with this answer */
  #keep(url) {
    this.#urls.push(url);
    return url;
  }
}

/**
 * @param {string} title
 * @param {...Node} children
 */
function panel(title, ...children) {
  return element('div', { class: 'panel' }, element('h2', {}, title), ...children);
}

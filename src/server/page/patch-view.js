// @ts-check
import { element, percent, svgElement } from './elements.js';

/** @typedef {import('../schemas.js').EntityHitBody} EntityHit */

/** Matches that are drawn: the most similar ones. */
const MOST_MATCHES = 64;

/**
 * The picture and an entity's image side by side, the patches that matched outlined in both. A match that the pointer is
 * over, or that the keyboard has reached, is joined by a line.
 *
 * @param {string} pictureUrl
 * @param {string} imageUrl
 * @param {EntityHit} hit
 */
export function patchView(pictureUrl, imageUrl, hit) {
  const picture = element('img', { src: pictureUrl, alt: 'What the question is about' });
  const image = element('img', { src: imageUrl, alt: hit.entity.title });
  const overlay = svgElement('svg', { role: 'group', 'aria-label': 'Patches that matched' });
  const pair = element(
    'div',
    { class: 'pair' },
    element('figure', {}, picture, element('figcaption', {}, 'Your picture')),
    element(
      'figure',
      {},
      image,
      element('figcaption', {}, `${hit.entity.title}, ${percent(hit.probability)}`),
    ),
    overlay,
  );
  // Made once and only moved, so that what has the focus keeps it.
  const outlines = outlinesOf(hit);
  overlay.append(...outlines.map(({ shape }) => shape));
  const draw = () => {
    const origin = pair.getBoundingClientRect();
    const place = (/** @type {readonly number[]} */ quad, /** @type {Element} */ within) =>
      corners(quad, within.getBoundingClientRect(), origin);
    for (const { move } of outlines)
      move(
        (quad) => place(quad, picture),
        (quad) => place(quad, image),
      );
  };
  picture.addEventListener('load', draw);
  image.addEventListener('load', draw);
  new ResizeObserver(draw).observe(pair);
  return pair;
}

/**
 * @typedef {[x: number, y: number][]} Points
 * @typedef {(quad: readonly number[]) => Points} Place
 * @typedef {{ shape: SVGElement, move: (inPicture: Place, inImage: Place) => void }} Outline
 */

/**
 * @param {EntityHit} hit
 * @returns {Outline[]}
 */
function outlinesOf({ region, matches = [] }) {
  const shown = matches.toSorted((a, b) => b.similarity - a.similarity).slice(0, MOST_MATCHES);
  const outlines = shown.map(matchOutline);
  return region === undefined ? outlines : [regionOutline(region), ...outlines];
}

/**
 * @param {readonly number[]} region
 * @returns {Outline}
 */
function regionOutline(region) {
  const shape = svgElement('polygon', { class: 'region' });
  return { shape, move: (inPicture) => shape.setAttribute('points', text(inPicture(region))) };
}

/**
 * @param {NonNullable<EntityHit['matches']>[number]} match
 * @returns {Outline}
 */
function matchOutline({ query, entity, similarity }) {
  const label = `similarity ${similarity.toFixed(3)}`;
  const line = svgElement('line');
  const there = svgElement('polygon');
  const here = svgElement('polygon');
  const shape = svgElement(
    'g',
    { class: 'match', tabindex: '0', role: 'img', 'aria-label': `Match, ${label}` },
    svgElement('title', {}, label),
    line,
    there,
    here,
  );
  return {
    shape,
    move(inPicture, inImage) {
      const [from, to] = [inPicture(query), inImage(entity)];
      there.setAttribute('points', text(from));
      here.setAttribute('points', text(to));
      const [[x1, y1], [x2, y2]] = [centre(from), centre(to)];
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 }))
        line.setAttribute(name, value.toFixed(1));
    },
  };
}

/**
 * Corners of a quad, fractions of an image's width and height, in the pixels of the overlay.
 *
 * @param {readonly number[]} quad
 * @param {DOMRect} image
 * @param {DOMRect} origin
 * @returns {Points}
 */
function corners(quad, { left, top, width, height }, origin) {
  return [0, 2, 4, 6].map((i) => [
    left - origin.left + (quad[i] ?? 0) * width,
    top - origin.top + (quad[i + 1] ?? 0) * height,
  ]);
}

/**
 * @param {Points} points
 * @returns {[x: number, y: number]}
 */
function centre(points) {
  return [points.reduce((sum, [x]) => sum + x, 0) / 4, points.reduce((sum, [, y]) => sum + y, 0) / 4];
}

/** @param {Points} points */
function text(points) {
  return points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
}

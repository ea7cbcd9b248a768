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
  const picture = element('img', { src: pictureUrl, alt: 'The picture of the question' });
  const image = element('img', { src: imageUrl, alt: `Image of ${hit.entity.title}` });
  const overlay = svgElement('svg', { role: 'group', 'aria-label': 'Patches that matched' });
  const pair = element(
    'div',
    { class: 'pair' },
    element('figure', {}, picture, element('figcaption', {}, 'Your picture')),
    element('figure', {}, image, element('figcaption', {}, `${hit.entity.title}, ${percent(hit.probability)}`)),
    overlay,
  );
  const draw = () => overlay.replaceChildren(...shapes(pair, picture, image, hit));
  picture.addEventListener('load', draw);
  image.addEventListener('load', draw);
  new ResizeObserver(draw).observe(pair);
  return pair;
}

/**
 * @param {Element} pair
 * @param {Element} picture
 * @param {Element} image
 * @param {EntityHit} hit
 */
function* shapes(pair, picture, image, { region, matches = [] }) {
  const origin = pair.getBoundingClientRect();
  if (region !== undefined) {
    yield svgElement('polygon', { class: 'region', points: text(corners(region, picture, origin)) });
  }
  const shown = matches.toSorted((a, b) => b.similarity - a.similarity).slice(0, MOST_MATCHES);
  for (const { query, entity, similarity } of shown) {
    const there = corners(query, picture, origin);
    const here = corners(entity, image, origin);
    const [from, to] = [centre(there), centre(here)];
    const line = { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
    const label = `similarity ${similarity.toFixed(3)}`;
    yield svgElement(
      'g',
      { class: 'match', tabindex: '0', role: 'img', 'aria-label': `Match, ${label}` },
      svgElement('title', {}, label),
      svgElement('line', Object.fromEntries(Object.entries(line).map(([key, value]) => [key, String(value)]))),
      svgElement('polygon', { points: text(there) }),
      svgElement('polygon', { points: text(here) }),
    );
  }
}

/**
 * Corners of a quad, fractions of an image's width and height, in the pixels of the overlay.
 *
 * @param {readonly number[]} quad
 * @param {Element} image
 * @param {DOMRect} origin
 * @returns {[x: number, y: number][]}
 */
function corners(quad, image, origin) {
  const { left, top, width, height } = image.getBoundingClientRect();
  return [0, 2, 4, 6].map((i) => [
    left - origin.left + (quad[i] ?? 0) * width,
    top - origin.top + (quad[i + 1] ?? 0) * height,
  ]);
}

/**
 * @param {[x: number, y: number][]} points
 * @returns {[x: number, y: number]}
 */
function centre(points) {
  return [points.reduce((sum, [x]) => sum + x, 0) / 4, points.reduce((sum, [, y]) => sum + y, 0) / 4];
}

/** @param {[x: number, y: number][]} points */
function text(points) {
  return points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
}

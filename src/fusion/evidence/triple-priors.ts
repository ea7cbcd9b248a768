import { checkKeys } from '../../index/arguments.js';

/** Where an item lies: its document and its page, counted from any number. */
export interface PagePlace {
  readonly document: string | number;
  readonly page: number;
}

/** Where a text or an image lies on its page. */
export interface BoxPlace extends PagePlace {
  /** Left, top, right, bottom, in the units of the page's size. */
  readonly box: readonly [number, number, number, number];
  /** Width and height of the page. */
  readonly pageSize: readonly [number, number];
}

/** Options of `layoutPrior`. */
export interface LayoutPriorOptions {
  /** The prior of what does not belong together, 0.1 by default. */
  readonly epsilon?: number | undefined;
  /** What is near: less than so many page diagonals, and less than so many pages; 2 by default. */
  readonly distance?: number | undefined;
}

/**
 * Whether a text, an image and a page belong together by where they lie: 1 where all three are of the same document, the centres of the
 * text's and the image's box are less than 2 page diagonals apart (pages stacked below one another, of the text's page
 * size), and both are less than 2 pages from the page; else epsilon. O(1).
 *
 * Source: "BayesRAG: Probabilistic Mutual Evidence Corroboration for Multimodal Retrieval-Augmented Generation" (2026).
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function layoutPrior(
  text: BoxPlace,
  image: BoxPlace,
  page: PagePlace,
  options: LayoutPriorOptions = {},
): number {
  checkKeys(options, ['epsilon', 'distance']);
  const { epsilon = 0.1, distance = 2 } = options;
  const sameDocument = text.document === page.document && image.document === page.document;
  const [width, height] = text.pageSize;
  const across = centre(image.box, 0) - centre(text.box, 0);
  const down = centre(image.box, 1) + image.page * height - (centre(text.box, 1) + text.page * height);
  const pages = Math.max(Math.abs(text.page - page.page), Math.abs(image.page - page.page));
  const near = Math.hypot(across, down) < distance * Math.hypot(width, height) && pages < distance;
  return sameDocument && near ? 1 : epsilon;
}

/** Options of `relationPrior`. */
export interface RelationPriorOptions {
  /** The least prior, 0.1 by default. */
  readonly epsilon?: number | undefined;
  /** What a relation adds to the exponent, 0.1 by default. */
  readonly scale?: number | undefined;
}

/**
 * Whether a text, an image and a page belong together by a knowledge graph: the mean over the three pairs of 1 - exp(-scale r), with r the
 * number or the weight of the relations between the two; at least epsilon. O(1).
 *
 * Source: as for `layoutPrior`.
 *
 * @param relations - text and image, image and page, text and page; each at least 0
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function relationPrior(
  relations: readonly [number, number, number],
  options: RelationPriorOptions = {},
): number {
  checkKeys(options, ['epsilon', 'scale']);
  const { epsilon = 0.1, scale = 0.1 } = options;
  const connected = relations.map((relation) => 1 - Math.exp(-scale * relation));
  return Math.max(epsilon, connected.reduce((sum, value) => sum + value, 0) / connected.length);
}

function centre(box: BoxPlace['box'], axis: 0 | 1): number {
  return (box[axis] + box[axis + 2]!) / 2;
}

import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { Entity } from '../corpus/records.js';
import type { Hits } from '../index/hits.js';
import type { Matrix } from '../vectors/matrix.js';
import type { ImageStore } from './image-store.js';

/** An image with the view of a picture that is most like it. */
export interface BestView {
  readonly row: number;
  readonly view: number;
  /** Inner product of the two. */
  readonly score: number;
  readonly entity: Entity;
}

/** What to look for. */
export interface BestViewsOptions {
  /** How many entities or images. */
  readonly k: number;
  /** What is counted. Default entities. */
  readonly of?: 'entities' | 'images' | undefined;
  readonly filter?: MetadataFilter | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface ScoredView {
  readonly row: number;
  readonly view: number;
  readonly score: number;
}

/**
 * The best images until they are of k entities, or are k, or all there are. An image's score is its highest inner product with any
 * view; exact.
 *
 * Every view is asked for its k best images. What a view has not listed comes after its last one; so all is known where no
 * view's last image comes before the k-th entity's best. Where each entity has one image that is so at once: a view's k
 * images are of k entities. Otherwise the views are asked for twice as many. Where images are counted it is so at once too.
 *
 * @returns best first; of equal scores the lower row first, of equal views the first
 */
export async function bestViews(
  store: ImageStore,
  views: Matrix,
  { k, of = 'entities', filter, signal }: BestViewsOptions,
): Promise<BestView[]> {
  const all = store.counts.searchableImages;
  for (let places = Math.min(k, all); ; places = Math.min(2 * places, all)) {
    const hits = await store.searchImages(views, { k: places, filter, signal });
    const found = await untilEnough(store, scoredImages(hits), k, of);
    const isEnough = new Set(found.map(counted[of])).size === k;
    if (places === all || isComplete(hits, places, isEnough ? found.at(-1) : undefined)) return found;
  }
}

/** Every image that was listed, with its first best view. */
function scoredImages(hits: Hits): ScoredView[] {
  const best = new Map<number, ScoredView>();
  for (let view = 0; view < hits.queries; view++) {
    for (let place = view * hits.k; place < view * hits.k + hits.counts[view]!; place++) {
      const row = hits.rows[place]!;
      const score = hits.scores[place]!;
      if (score > (best.get(row)?.score ?? -Infinity)) best.set(row, { row, view, score });
    }
  }
  return [...best.values()].sort(order);
}

/** What is counted of an image. */
const counted = {
  entities: ({ entity }: BestView): unknown => entity.id,
  images: ({ row }: BestView): unknown => row,
};

async function untilEnough(
  store: ImageStore,
  images: readonly ScoredView[],
  k: number,
  of: keyof typeof counted,
): Promise<BestView[]> {
  const found: BestView[] = [];
  const distinct = new Set<unknown>();
  for (let first = 0; first < images.length; first += k) {
    const some = images.slice(first, first + k);
    const entities = await store.entitiesOfImages(some.map(({ row }) => row));
    for (const [i, image] of some.entries()) {
      const view = { ...image, entity: entities[i]! };
      found.push(view);
      distinct.add(counted[of](view));
      if (distinct.size === k) return found;
    }
  }
  return found;
}

/** Whether no image that a view has not listed can come before `last`; undefined comes after all. */
function isComplete(hits: Hits, places: number, last: BestView | undefined): boolean {
  for (let view = 0; view < hits.queries; view++) {
    const count = hits.counts[view]!;
    if (count < places) continue;
    const at = view * hits.k + count - 1;
    const listed = { row: hits.rows[at]!, score: hits.scores[at]! };
    if (last === undefined || order(listed, last) < 0) return false;
  }
  return true;
}

function order(a: { row: number; score: number }, b: { row: number; score: number }): number {
  return b.score - a.score || a.row - b.row;
}

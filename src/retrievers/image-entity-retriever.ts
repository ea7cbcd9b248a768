import type { Entity } from '../corpus/records.js';
import type { ImageEncoder, ImageInput, ImageQuery, PatchEmbeddings, Quads } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { topKSoftmax } from '../index/top-k-softmax.js';
import { type MaxSimReranked, MaxSimReranker } from '../rerankers/maxsim-reranker.js';
import type { RaggedMatrix } from '../vectors/matrix.js';
import { type BestView, type BestViewsOptions, bestViews } from './best-views.js';
import { checkK } from './check-k.js';
import type { ImagePatches, ImageStore } from './image-store.js';
import { type ImageEntities, MemoryImageStore } from './memory-image-store.js';
import type {
  EntityHit,
  EntityRetriever,
  ImageHit,
  PatchMatch,
  RetrieveOptions,
  Timings,
} from './retriever.js';

/** How to retrieve. */
export interface ImageEntityRetrieverOptions {
  /** Whether candidates are rescored by MaxSim. Default: where the store has patches. */
  readonly lateInteraction?: boolean;
  /** How many images are looked at closely. Default 20. */
  readonly candidates?: number;
  /** Softmax temperature of view scores. Default 0.007. */
  readonly viewTemperature?: number;
  /** Softmax temperature of MaxSim scores. Default 0.65. */
  readonly maxSimTemperature?: number;
}

const DEFAULTS = { candidates: 20, viewTemperature: 0.007, maxSimTemperature: 0.65 };

/** Views of a picture with their patches. */
type Views = PatchEmbeddings & { readonly viewQuads: Quads };

/** What is ranked. */
type Counted = NonNullable<BestViewsOptions['of']>;

/** An image that was found. */
interface Found {
  readonly row: number;
  readonly entity: Entity;
  readonly score: number;
  readonly region: Quads;
  /** Worked out for what is returned only: of the candidates, each has one for every patch. */
  readonly matches?: () => PatchMatch[];
}

/**
 * Finds the entities that a picture shows, by their images.
 *
 * 1. Every view of the picture is compared with every image: exact maximum inner products. An image's score is its best over
 *    the views, an entity's that of its best image.
 * 2. With late interaction, the best images' views are fitted to them, where the encoder can do that, and MaxSim between the
 *    patches of those views and of the images gives the score. Where more hits are asked for than there are entities among
 *    them, the further entities are scored by MaxSim with the best image's view, and carry no matches.
 * 3. Probabilities are the softmax of score / temperature over the hits returned.
 *
 * `retrieveImages` ranks the images themselves in the same way.
 *
 * The default temperatures are for `DescriptorImageEncoder`: of a grid of values, those that gave the right flag the
 * highest mean log-probability among 20 hits, on 600 made pictures of flags that no evaluation uses. There the best
 * entity's mean probability was 0.94 with late interaction, and it was right in 94 % of the pictures (0.88 and 90 %
 * without). Another encoder, or quite other images, need their own.
 */
export class ImageEntityRetriever implements EntityRetriever, Disposable {
  readonly #encoder: ImageEncoder;
  readonly #store: ImageStore;
  readonly #options: Required<ImageEntityRetrieverOptions>;
  #own: Disposable | undefined;

  /**
   * @param encoder - the one that made the store's vectors
   * @throws GranuleError `DIMENSION_INVALID` where the store's patches are not the encoder's, `INVALID_ARGUMENT` for bad options
   *   or where late interaction is asked for without patches, `TEMPERATURE_INVALID`
   */
  constructor(encoder: ImageEncoder, store: ImageStore, options: ImageEntityRetrieverOptions = {}) {
    checkDimension('patches', store.patchDimension || encoder.patchDimension, encoder.patchDimension);
    this.#encoder = encoder;
    this.#store = store;
    this.#options = settle(store, options);
  }

  /**
   * Makes a retriever with images in memory.
   *
   * @param encoder - the one that made the vectors
   * @throws GranuleError as the constructor and `MemoryImageStore.build`; `DIMENSION_INVALID` where the vectors are not the
   *   encoder's
   */
  static async build(
    encoder: ImageEncoder,
    source: ImageEntities,
    options: ImageEntityRetrieverOptions = {},
  ): Promise<ImageEntityRetriever> {
    checkDimension('vectors', source.vectors.columns, encoder.dimension);
    if (source.patches !== undefined) {
      checkDimension('patches', source.patches.columns, encoder.patchDimension);
    }
    const store = await MemoryImageStore.build(source);
    try {
      const retriever = new ImageEntityRetriever(encoder, store, options);
      retriever.#own = store;
      return retriever;
    } catch (error) {
      store.dispose();
      throw error;
    }
  }

  /** The same images, retrieved from with other options; `dispose` of either frees what `build` made. */
  with(options: ImageEntityRetrieverOptions): ImageEntityRetriever {
    const other = new ImageEntityRetriever(this.#encoder, this.#store, { ...this.#options, ...options });
    other.#own = this.#own;
    return other;
  }

  /**
   * @param timings - receives `encode`, `entitySearch` and, with late interaction, `refine` and `maxsim`
   * @returns at most k hits; none where there are no images
   * @throws GranuleError `K_OUT_OF_RANGE`, `METADATA_FILTER_INVALID`, `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`, `ABORTED`
   */
  async retrieve(image: ImageInput, options: RetrieveOptions, timings?: Timings): Promise<EntityHit[]> {
    return this.#encoded(image, options, timings, (query) => this.retrieveEncoded(query, options, timings));
  }

  /**
   * The images most like a picture, each by itself, with their entities.
   *
   * @param timings - as `retrieve`
   * @returns at most k hits; none where there are no images
   * @throws GranuleError as `retrieve`
   */
  async retrieveImages(image: ImageInput, options: RetrieveOptions, timings?: Timings): Promise<ImageHit[]> {
    return this.#encoded(image, options, timings, async (query) =>
      this.#toHits(await this.#find(query, 'images', options, timings), options.k),
    );
  }

  /** As `retrieve`, for a picture that the encoder has encoded already. The caller releases it. */
  async retrieveEncoded(
    query: ImageQuery,
    options: RetrieveOptions,
    timings?: Timings,
  ): Promise<EntityHit[]> {
    checkK(options.k);
    const found = bestOfEntities(await this.#find(query, 'entities', options, timings));
    const hits = await this.#toHits(found, options.k);
    return hits.map(({ item, ...hit }) => ({ ...hit, item: item.entity, image: item.id }));
  }

  /** Frees what `build` made; a store that was passed to the constructor stays its owner's. */
  dispose(): void {
    this.#own?.[Symbol.dispose]();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  async #encoded<T>(
    image: ImageInput,
    options: RetrieveOptions,
    timings: Timings | undefined,
    work: (query: ImageQuery) => Promise<T>,
  ): Promise<T> {
    checkK(options.k);
    const start = performance.now();
    const query = await this.#encoder.encodeQuery(image, signalOf(options));
    addTime(timings, 'encode', start);
    try {
      return await work(query);
    } finally {
      query.release?.();
    }
  }

  /** Scored images, among them the k best images or the best images of the k best entities. */
  async #find(
    query: ImageQuery,
    of: Counted,
    options: RetrieveOptions,
    timings: Timings | undefined,
  ): Promise<Found[]> {
    if (this.#store.counts.searchableImages === 0) return [];
    const { k, filter, signal } = options;
    const { lateInteraction, candidates } = this.#options;
    const start = performance.now();
    const wanted = lateInteraction ? Math.max(k, candidates) : k;
    const best = await bestViews(this.#store, query.views, { k: wanted, of, filter, signal });
    addTime(timings, 'entitySearch', start);
    if (lateInteraction) return this.#lookClosely(query, best, of, options, timings);
    return best.map(({ view, ...image }) => ({ ...image, region: quadAt(query.viewQuads, view) }));
  }

  async #lookClosely(
    query: ImageQuery,
    best: readonly BestView[],
    of: Counted,
    options: RetrieveOptions,
    timings: Timings | undefined,
  ): Promise<Found[]> {
    if (best.length === 0) return [];
    const head = best.slice(0, this.#options.candidates);
    const looked = new Set(head.map(({ entity }) => entity.id));
    const others = best.slice(head.length);
    const tail = of === 'images' ? others : others.filter(({ entity }) => !looked.has(entity.id));
    const refining = performance.now();
    const rows = head.map(({ row }) => row);
    const stored = await this.#store.imagePatches(rows, options.signal);
    const views = await viewsOf(query, head, stored.patches, options);
    addTime(timings, 'refine', refining);
    const scoring = performance.now();
    const reranker = new MaxSimReranker({
      search: (vectors, searchOptions) => this.#store.searchPatches(vectors, searchOptions),
    });
    const entities = new Map(best.map(({ row, entity }) => [row, entity]));
    const quads = quadsByRow(rows, stored);
    const first = await reranker.rerank(views.patches, rows, signalOf(options));
    const found: Found[] = first.map((item) => ({
      row: item.row,
      entity: entities.get(item.row)!,
      score: item.score,
      region: quadAt(views.viewQuads, item.view),
      matches: () => matchesOf(item, views, quads.get(item.row)!),
    }));
    if (tail.length > 0) {
      const leader = first[0]!.view;
      const leading = viewPatches(views.patches, leader);
      const tailRows = tail.map(({ row }) => row);
      for (const { row, score } of await reranker.rerank(leading, tailRows, signalOf(options))) {
        found.push({ row, entity: entities.get(row)!, score, region: quadAt(views.viewQuads, leader) });
      }
    }
    addTime(timings, 'maxsim', scoring);
    return found;
  }

  /** The k best of what was found. */
  async #toHits(images: readonly Found[], k: number): Promise<ImageHit[]> {
    if (images.length === 0) return [];
    const { lateInteraction, viewTemperature, maxSimTemperature } = this.#options;
    const temperature = lateInteraction ? maxSimTemperature : viewTemperature;
    const found = [...images].sort((a, b) => a.row - b.row);
    const scores = Float32Array.from(found, ({ score }) => score);
    const top = await topKSoftmax(scores, { k: Math.min(k, found.length), temperature });
    const chosen = Array.from(top.rows, (position) => found[position]!);
    const records = await this.#store.images(chosen.map(({ row }) => row));
    return chosen.map(({ entity, score, region, matches }, place) => ({
      item: { id: records[place]!.id, entity },
      score,
      probability: top.probabilities[place]!,
      region,
      ...(matches && { matches: matches() }),
    }));
  }
}

/** Patch vectors of the candidates' views: fitted to the candidates where the encoder can, else as they are. */
async function viewsOf(
  query: ImageQuery,
  head: readonly BestView[],
  targets: RaggedMatrix,
  options: RetrieveOptions,
): Promise<Views> {
  if (query.refine) {
    return query.refine(
      head.map(({ view }) => view),
      targets,
      signalOf(options),
    );
  }
  if (!query.patchesOf) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      'late interaction needs an encoder that gives patches of pictures',
    );
  }
  const views = [...new Set(head.map(({ view }) => view))];
  const viewQuads = new Float32Array(views.length * 8);
  for (const [i, view] of views.entries()) viewQuads.set(quadAt(query.viewQuads, view), i * 8);
  return { ...(await query.patchesOf(views, signalOf(options))), viewQuads };
}

/** The places of each image's patches. */
function quadsByRow(rows: readonly number[], { patches, quads }: ImagePatches): Map<number, Quads> {
  let at = 0;
  return new Map(
    rows.map((row, i) => {
      const first = at;
      at += patches.lengths[i]! * 8;
      return [row, quads.subarray(first, at)];
    }),
  );
}

function matchesOf({ view, matches }: MaxSimReranked, views: Views, quads: Quads): PatchMatch[] {
  const firstOfView = views.patches.lengths.subarray(0, view).reduce((sum, length) => sum + length, 0);
  return Array.from(matches.vectors, (matched, i) => ({
    query: quadAt(views.patchQuads, firstOfView + i),
    entity: quadAt(quads, matched),
    similarity: matches.similarities[i]!,
  }));
}

/** Of each entity the image with the highest score; of equal ones the lower row. */
function bestOfEntities(images: readonly Found[]): Found[] {
  const best = new Map<string, Found>();
  for (const image of [...images].sort((a, b) => b.score - a.score || a.row - b.row)) {
    if (!best.has(image.entity.id)) best.set(image.entity.id, image);
  }
  return [...best.values()];
}

function settle(
  store: ImageStore,
  options: ImageEntityRetrieverOptions,
): Required<ImageEntityRetrieverOptions> {
  const hasPatches = store.patchDimension > 0;
  const settled = { lateInteraction: hasPatches, ...DEFAULTS, ...options };
  if (settled.lateInteraction && !hasPatches) {
    throw new GranuleError('INVALID_ARGUMENT', 'late interaction needs the patches of the entities');
  }
  if (!Number.isSafeInteger(settled.candidates) || settled.candidates < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `candidates must be a positive integer, got ${settled.candidates}`,
    );
  }
  for (const temperature of [settled.viewTemperature, settled.maxSimTemperature]) {
    if (!(temperature > 0 && Number.isFinite(temperature))) {
      throw new GranuleError(
        'TEMPERATURE_INVALID',
        `a temperature must be finite and above 0, got ${temperature}`,
      );
    }
  }
  return settled;
}

function checkDimension(what: string, columns: number, dimension: number): void {
  if (columns !== dimension) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `the ${what} have ${columns} numbers, the encoder's have ${dimension}`,
      { columns, dimension },
    );
  }
}

/** The patch vectors of one view. */
function viewPatches({ data, lengths, columns }: RaggedMatrix, view: number): RaggedMatrix {
  const start = lengths.subarray(0, view).reduce((sum, length) => sum + length, 0);
  const length = lengths[view]!;
  return {
    data: data.subarray(start * columns, (start + length) * columns),
    lengths: Uint32Array.of(length),
    columns,
  };
}

function quadAt(quads: Quads, index: number): Quads {
  return quads.slice(index * 8, index * 8 + 8);
}

function signalOf({ signal }: RetrieveOptions): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function addTime(timings: Timings | undefined, stage: string, start: number): void {
  if (timings) {
    timings[stage] = (timings[stage] ?? 0) + performance.now() - start;
  }
}

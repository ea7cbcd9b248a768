import type { Entity } from '../corpus/records.js';
import type { ImageEncoder, ImageInput, ImageQuery, PatchEmbeddings, Quads } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { FlatIndex } from '../index/flat-index.js';
import { MultiVectorIndex } from '../index/multi-vector-index.js';
import { topKSoftmax } from '../index/top-k-softmax.js';
import { type MaxSimReranked, MaxSimReranker } from '../rerankers/maxsim-reranker.js';
import type { Matrix, RaggedMatrix } from '../vectors/matrix.js';
import { type BestView, bestViews } from './best-views.js';
import type { EntityHit, EntityRetriever, PatchMatch, RetrieveOptions, Timings } from './retriever.js';

/** Entities with their images' vectors: entity i owns row i of `vectors` and item i of `patches`. */
export interface ImageEntities {
  readonly entities: readonly Entity[];
  readonly vectors: Matrix;
  /** Needed for late interaction. */
  readonly patches?: RaggedMatrix | undefined;
  /** The place of each patch, in the order of `patches.data`. */
  readonly patchQuads?: Quads | undefined;
}

/** How to retrieve. */
export interface ImageEntityRetrieverOptions {
  /** Whether candidates are rescored by MaxSim. Default: where there are patches. */
  readonly lateInteraction?: boolean;
  /** How many candidates are looked at closely. Default 20. */
  readonly candidates?: number;
  /** Softmax temperature of view scores. Default 0.007. */
  readonly viewTemperature?: number;
  /** Softmax temperature of MaxSim scores. Default 0.65. */
  readonly maxSimTemperature?: number;
}

const DEFAULTS = { candidates: 20, viewTemperature: 0.007, maxSimTemperature: 0.65 };

interface Found {
  readonly row: number;
  readonly score: number;
  readonly region: Quads;
  readonly matches?: readonly PatchMatch[];
}

/**
 * Finds the entities that a picture shows, by their images.
 *
 * 1. Every view of the picture is compared with every entity's image: exact maximum inner products. An entity's score is
 *    its best over the views.
 * 2. With late interaction, the best entities' views are fitted to their images, where the encoder can do that, and
 *    MaxSim between the patches of those views and of the images gives the score. Where more hits are asked for than
 *    there are candidates, the further entities are scored by MaxSim with the best entity's view, and carry no matches.
 * 3. Probabilities are the softmax of score / temperature over the hits returned.
 *
 * The default temperatures are for `DescriptorImageEncoder`: of a grid of values, those that gave the right flag the
 * highest mean log-probability among 20 hits, on 600 made pictures of flags that no evaluation uses. There the best
 * entity's mean probability was 0.94 with late interaction, and it was right in 94 % of the pictures (0.88 and 90 %
 * without). Another encoder, or quite other images, need their own.
 */
export class ImageEntityRetriever implements EntityRetriever, Disposable {
  readonly #encoder: ImageEncoder;
  readonly #source: ImageEntities;
  readonly #index: FlatIndex;
  readonly #patchIndex: MultiVectorIndex | undefined;
  readonly #options: Required<ImageEntityRetrieverOptions>;
  /** Where each entity's patches begin. */
  readonly #firstPatches: Uint32Array;

  private constructor(
    encoder: ImageEncoder,
    source: ImageEntities,
    index: FlatIndex,
    patchIndex: MultiVectorIndex | undefined,
    options: Required<ImageEntityRetrieverOptions>,
  ) {
    this.#encoder = encoder;
    this.#source = source;
    this.#index = index;
    this.#patchIndex = patchIndex;
    this.#options = options;
    this.#firstPatches = firstPatches(source.patches);
  }

  /**
   * Builds the indexes and the retriever.
   *
   * @param encoder - the one that made the vectors
   * @throws GranuleError `LENGTH_MISMATCH` or `DIMENSION_INVALID` where the arrays do not fit together or the encoder,
   *   `INVALID_ARGUMENT` for bad options or where late interaction is asked for without patches, `TEMPERATURE_INVALID`,
   *   and as the indexes' `add` does
   */
  static async build(
    encoder: ImageEncoder,
    source: ImageEntities,
    options: ImageEntityRetrieverOptions = {},
  ): Promise<ImageEntityRetriever> {
    checkSource(encoder, source);
    const settled = settle(source, options);
    const index = new FlatIndex({ dimension: encoder.dimension });
    await index.add(source.vectors);
    let patchIndex: MultiVectorIndex | undefined;
    if (source.patches && source.patches.columns > 0) {
      patchIndex = new MultiVectorIndex({ dimension: source.patches.columns });
      await patchIndex.add(source.patches.data, source.patches.lengths);
    }
    return new ImageEntityRetriever(encoder, source, index, patchIndex, settled);
  }

  /** The same entities and indexes, retrieved from with other options; `dispose` frees both. */
  with(options: ImageEntityRetrieverOptions): ImageEntityRetriever {
    const settled = settle(this.#source, { ...this.#options, ...options });
    return new ImageEntityRetriever(this.#encoder, this.#source, this.#index, this.#patchIndex, settled);
  }

  /**
   * @param timings - receives `encode`, `entitySearch` and, with late interaction, `refine` and `maxsim`
   * @returns at most k hits; none where there are no entities
   * @throws GranuleError `K_OUT_OF_RANGE`, `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`, `ABORTED`
   */
  async retrieve(image: ImageInput, options: RetrieveOptions, timings?: Timings): Promise<EntityHit[]> {
    checkK(options.k);
    const start = performance.now();
    const query = await this.#encoder.encodeQuery(image, signalOf(options));
    addTime(timings, 'encode', start);
    return this.retrieveEncoded(query, options, timings);
  }

  /** As `retrieve`, for a picture that the encoder has encoded already. */
  async retrieveEncoded(
    query: ImageQuery,
    options: RetrieveOptions,
    timings?: Timings,
  ): Promise<EntityHit[]> {
    checkK(options.k);
    if (this.#source.entities.length === 0) {
      return [];
    }
    const { lateInteraction, candidates, viewTemperature, maxSimTemperature } = this.#options;
    const wanted = lateInteraction ? Math.max(options.k, candidates) : options.k;
    const start = performance.now();
    const k = Math.min(wanted, this.#source.entities.length);
    const best = await bestViews(this.#index, query.views, k, options.signal);
    addTime(timings, 'entitySearch', start);
    if (!lateInteraction) {
      const found = best.map(({ row, score, view }) => ({
        row,
        score,
        region: quadAt(query.viewQuads, view),
      }));
      return this.#toHits(found, options.k, viewTemperature);
    }
    return this.#toHits(await this.#lookClosely(query, best, options, timings), options.k, maxSimTemperature);
  }

  /** Frees the indexes. */
  dispose(): void {
    this.#index.dispose();
    this.#patchIndex?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #lookClosely(
    query: ImageQuery,
    best: readonly BestView[],
    options: RetrieveOptions,
    timings: Timings | undefined,
  ): Promise<Found[]> {
    const head = best.slice(0, this.#options.candidates);
    const tail = best.slice(this.#options.candidates).map(({ row }) => row);
    const refining = performance.now();
    const views = await this.#viewsOf(query, head, options);
    addTime(timings, 'refine', refining);
    const scoring = performance.now();
    const reranker = new MaxSimReranker(this.#patchIndex!);
    const rows = head.map(({ row }) => row);
    const first = await reranker.rerank(views.patches, rows, signalOf(options));
    const found = first.map((item) => this.#toFound(item, views));
    if (tail.length > 0) {
      const leader = first[0]!.view;
      const leading = viewPatches(views.patches, leader);
      const rest = await reranker.rerank(leading, tail, signalOf(options));
      found.push(...rest.map(({ row, score }) => ({ row, score, region: quadAt(views.viewQuads, leader) })));
    }
    addTime(timings, 'maxsim', scoring);
    return found;
  }

  /** Patch vectors of the candidates' views: fitted to the candidates where the encoder can, else as they are. */
  async #viewsOf(
    query: ImageQuery,
    head: readonly BestView[],
    options: RetrieveOptions,
  ): Promise<PatchEmbeddings & { readonly viewQuads: Quads }> {
    if (query.refine) {
      const targets = this.#patchesOf(head.map(({ row }) => row));
      const views = head.map(({ view }) => view);
      return query.refine(views, targets, signalOf(options));
    }
    if (!query.patchesOf) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        'late interaction needs an encoder that gives patches of pictures',
      );
    }
    const views = [...new Set(head.map(({ view }) => view))];
    const viewQuads = new Float32Array(views.length * 8);
    for (const [i, view] of views.entries()) {
      viewQuads.set(quadAt(query.viewQuads, view), i * 8);
    }
    return { ...query.patchesOf(views), viewQuads };
  }

  #patchesOf(rows: readonly number[]): RaggedMatrix {
    const { data, lengths, columns } = this.#source.patches!;
    const chosen = Uint32Array.from(rows, (row) => lengths[row]!);
    const total = chosen.reduce((sum, length) => sum + length, 0);
    const copy = new Float32Array(total * columns);
    let at = 0;
    for (const row of rows) {
      const from = this.#firstPatches[row]! * columns;
      const part = data.subarray(from, from + lengths[row]! * columns);
      copy.set(part, at);
      at += part.length;
    }
    return { data: copy, lengths: chosen, columns };
  }

  #toFound(
    { row, score, view, matches }: MaxSimReranked,
    views: PatchEmbeddings & { readonly viewQuads: Quads },
  ): Found {
    const firstOfView = views.patches.lengths.subarray(0, view).reduce((sum, length) => sum + length, 0);
    const entityQuads = this.#source.patchQuads!;
    const pairs: PatchMatch[] = [];
    for (const [i, matched] of matches.vectors.entries()) {
      pairs.push({
        query: quadAt(views.patchQuads, firstOfView + i),
        entity: quadAt(entityQuads, this.#firstPatches[row]! + matched),
        similarity: matches.similarities[i]!,
      });
    }
    return { row, score, region: quadAt(views.viewQuads, view), matches: pairs };
  }

  async #toHits(found: readonly Found[], k: number, temperature: number): Promise<EntityHit[]> {
    const byRow = [...found].sort((a, b) => a.row - b.row);
    const scores = Float32Array.from(byRow, ({ score }) => score);
    const top = await topKSoftmax(scores, { k: Math.min(k, found.length), temperature });
    return Array.from(top.rows, (position, place) => {
      const { row, score, region, matches } = byRow[position]!;
      return {
        item: this.#source.entities[row]!,
        score,
        probability: top.probabilities[place]!,
        region,
        ...(matches && { matches }),
      };
    });
  }
}

function settle(
  source: ImageEntities,
  options: ImageEntityRetrieverOptions,
): Required<ImageEntityRetrieverOptions> {
  const hasPatches = source.patches !== undefined && source.patches.columns > 0;
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

function checkSource(encoder: ImageEncoder, { entities, vectors, patches, patchQuads }: ImageEntities): void {
  if (vectors.columns !== encoder.dimension) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `the vectors have ${vectors.columns} numbers, the encoder's have ${encoder.dimension}`,
      { columns: vectors.columns, dimension: encoder.dimension },
    );
  }
  if (patches !== undefined && patches.columns !== encoder.patchDimension) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `the patches have ${patches.columns} numbers, the encoder's have ${encoder.patchDimension}`,
      { columns: patches.columns, dimension: encoder.patchDimension },
    );
  }
  const patchCount = patches?.lengths.reduce((sum, length) => sum + length, 0) ?? 0;
  if (
    vectors.rows !== entities.length ||
    (patches !== undefined &&
      (patches.lengths.length !== entities.length || patchQuads?.length !== patchCount * 8))
  ) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${entities.length} entities need a vector, and with patches a list of patches and a quad per patch, each`,
      { entities: entities.length, vectors: vectors.rows, patches: patches?.lengths.length ?? 0 },
    );
  }
}

function checkK(k: number): void {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
}

function firstPatches(patches: RaggedMatrix | undefined): Uint32Array {
  const first = new Uint32Array(patches?.lengths.length ?? 0);
  for (let i = 1; i < first.length; i++) {
    first[i] = first[i - 1]! + patches!.lengths[i - 1]!;
  }
  return first;
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

import { GranuleError } from '../../errors.js';
import type { FlatIndex } from '../../index/flat-index.js';
import type { Hits } from '../../index/hits.js';
import { MultiVectorHits } from '../../index/multi-vector-hits.js';
import type { ImagePatches, ImageStore, PatchSearchOptions } from '../../retrievers/image-store.js';
import type { PassageStore, StoreSearchOptions } from '../../retrievers/passage-store.js';
import type { Matrix } from '../../vectors/matrix.js';
import type { CorpusState } from '../database/corpus-state.js';
import type { MetadataFilter } from '../filter/metadata-filter.js';
import type { CorpusFiles } from '../storage/corpus-files.js';
import { bothAllow, countRows, forIndex } from './allowed-rows.js';
import { RecordQueries } from './record-queries.js';
import type { SnapshotView } from './snapshot-source.js';
import type {
  DocumentHead,
  DocumentRecord,
  EntityRecord,
  ImageRecord,
  PassageRecord,
} from './stored-records.js';

/** What a snapshot holds. */
export interface SnapshotCounts {
  readonly entities: number;
  readonly documents: number;
  readonly passages: number;
  readonly images: number;
  /** Passages and images that are encoded, and so can be found. */
  readonly searchablePassages: number;
  readonly searchableImages: number;
}

/**
 * One state of a corpus, whatever is added to it or deleted from it meanwhile, by this process or another. Rows are numbers
 * of passages or of images in this snapshot only. Release it when it is no longer needed: it keeps the database's log, and the
 * indexes of its time.
 */
export class CorpusSnapshot implements PassageStore, ImageStore, AsyncDisposable {
  /** One more with every change of the corpus. */
  readonly version: number;
  readonly counts: SnapshotCounts;
  /** Numbers of a patch's vector; 0 where the images have no patches. */
  readonly patchDimension: number;
  readonly #view: SnapshotView;
  readonly #release: (view: SnapshotView) => Promise<void>;
  readonly #records: RecordQueries;
  readonly #folder: string;
  #released = false;

  /** @internal */
  constructor(view: SnapshotView, files: CorpusFiles, release: (view: SnapshotView) => Promise<void>) {
    const { state } = view;
    this.version = state.version;
    this.counts = countsOf(state);
    this.patchDimension = view.indexes.patches?.dimension ?? 0;
    this.#view = view;
    this.#release = release;
    this.#records = new RecordQueries(view.connection, files);
    this.#folder = files.folder;
  }

  /**
   * The k passages with the highest inner product for each query; exact.
   *
   * @param vectors - queries x the text encoder's dimension
   * @returns `rows` are those of `passages`; no places at all where nothing can be found
   * @throws GranuleError `K_OUT_OF_RANGE`, `FILTER_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`, `INDEX_CORRUPT`,
   * `ABORTED`, `INDEX_DISPOSED` once released
   */
  searchPassages(vectors: Matrix, options: StoreSearchOptions): Promise<Hits> {
    return this.#search('passages', vectors, options);
  }

  /**
   * The k images with the highest inner product for each view of a picture; exact.
   *
   * @param views - views x the image encoder's dimension
   * @returns `rows` are those of `images`
   * @throws GranuleError as `searchPassages`
   */
  searchImages(views: Matrix, options: StoreSearchOptions): Promise<Hits> {
    return this.#search('images', views, options);
  }

  /**
   * The k images with the highest MaxSim over their patches for each query; exact.
   *
   * @param vectors - patch vectors of the queries
   * @throws GranuleError as `searchPassages`; `INVALID_ARGUMENT` where the images have no patches; `CANDIDATES_INVALID`
   */
  async searchPatches(vectors: Matrix | Float32Array, options: PatchSearchOptions): Promise<MultiVectorHits> {
    const { indexes } = this.#open();
    const { candidates, explain, lengths, signal, temperature } = options;
    const allowed = await this.#allowed('images', options);
    const { patches: index } = indexes;
    if (index === undefined) {
      throw new GranuleError('INVALID_ARGUMENT', `the images of ${this.#folder} have no patches`);
    }
    const k = checkedK(options.k);
    const rows = candidates === undefined ? allowed.count : Math.min(allowed.count, candidates.length);
    if (rows === 0) {
      const queries = lengths ?? Uint32Array.of(1);
      return new MultiVectorHits(noHits(queries.length), queries, 0, 0);
    }
    const filter = this.#filterFor(index.rows, 'images', allowed);
    return index.search(vectors, {
      k: Math.min(k, rows),
      candidates,
      explain,
      lengths,
      signal,
      temperature,
      filter,
    });
  }

  /**
   * The passages that can be found, with such metadata if a filter is given: row r is bit r & 7 of byte r >> 3.
   *
   * @throws GranuleError `METADATA_FILTER_INVALID`, `INDEX_DISPOSED`
   */
  async findablePassages(filter?: MetadataFilter): Promise<Uint8Array> {
    return (await this.#allowed('passages', { filter })).bits.slice();
  }

  /**
   * The images that can be found, as `findablePassages` has passages.
   *
   * @throws GranuleError as `findablePassages`
   */
  async findableImages(filter?: MetadataFilter): Promise<Uint8Array> {
    return (await this.#allowed('images', { filter })).bits.slice();
  }

  /**
   * The vectors of passages by their rows, in the order of `rows`.
   *
   * @throws GranuleError `ROW_NOT_FOUND`, `INDEX_CORRUPT`, `ABORTED`, `INDEX_DISPOSED`
   */
  async passageVectors(rows: readonly number[], signal?: AbortSignal): Promise<Matrix> {
    return this.#vectors('passages', rows, signal);
  }

  /**
   * The vectors of images by their rows, in the order of `rows`.
   *
   * @throws GranuleError as `passageVectors`
   */
  async imageVectors(rows: readonly number[], signal?: AbortSignal): Promise<Matrix> {
    return this.#vectors('images', rows, signal);
  }

  /**
   * Patches of images, in the order of `rows`.
   *
   * @throws GranuleError `INVALID_ARGUMENT` where the images have no patches, `ROW_NOT_FOUND`, `INDEX_DISPOSED`
   */
  async imagePatches(rows: readonly number[], signal?: AbortSignal): Promise<ImagePatches> {
    const { indexes } = this.#open();
    const index = indexes.patches;
    if (index === undefined) {
      throw new GranuleError('INVALID_ARGUMENT', `the images of ${this.#folder} have no patches`);
    }
    this.#requireRows('images', rows);
    const [patches, boxes] = await Promise.all([
      index.read(Uint32Array.from(rows), { signal }),
      this.#records.boxesOfRows(rows),
    ]);
    const quads = new Float32Array(boxes.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const box of boxes) {
      quads.set(box, at);
      at += box.length;
    }
    return { patches, quads };
  }

  /**
   * Passages by their rows, in the order of `rows`.
   *
   * @throws GranuleError `ROW_NOT_FOUND`, `INDEX_DISPOSED`
   */
  async passages(rows: readonly number[]): Promise<PassageRecord[]> {
    this.#requireRows('passages', rows);
    return this.#records.passagesOfRows(rows);
  }

  /**
   * Images by their rows, in the order of `rows`.
   *
   * @throws GranuleError `ROW_NOT_FOUND`, `INDEX_DISPOSED`
   */
  async images(rows: readonly number[]): Promise<ImageRecord[]> {
    this.#requireRows('images', rows);
    return this.#records.imagesOfRows(rows);
  }

  /**
   * The entities of images by the images' rows, in the order of `rows`.
   *
   * @throws GranuleError `ROW_NOT_FOUND`, `INDEX_DISPOSED`
   */
  async entitiesOfImages(rows: readonly number[]): Promise<EntityRecord[]> {
    this.#requireRows('images', rows);
    return this.#records.entitiesOfImageRows(rows);
  }

  /** The passage with this id, or undefined. */
  async passage(id: string): Promise<PassageRecord | undefined> {
    this.#open();
    return this.#records.passage(id);
  }

  /** The document with this id, or undefined. */
  async document(id: string): Promise<DocumentRecord | undefined> {
    this.#open();
    return this.#records.document(id);
  }

  /** Documents by their ids, in that order, without their texts; an id that is no document's is left out. */
  async documentHeads(ids: readonly string[]): Promise<DocumentHead[]> {
    this.#open();
    return this.#records.documentHeads(ids);
  }

  /** The passages that a document was split into, in order; none where there is no such document. */
  async documentPassages(id: string): Promise<PassageRecord[]> {
    this.#open();
    return this.#records.passagesOfDocument(id);
  }

  /** All passages of an entity, those of its documents too, in the order of its line; none where there is no such entity. */
  async entityPassages(id: string): Promise<PassageRecord[]> {
    this.#open();
    return this.#records.passagesOfEntity(id);
  }

  /** All images of an entity, in the order of its line; none where there is no such entity. */
  async entityImages(id: string): Promise<ImageRecord[]> {
    this.#open();
    return this.#records.imagesOfEntity(id);
  }

  /** The image with this id, or undefined. */
  async image(id: string): Promise<ImageRecord | undefined> {
    this.#open();
    return this.#records.image(id);
  }

  /** The entity with this id, or undefined. */
  async entity(id: string): Promise<EntityRecord | undefined> {
    this.#open();
    return this.#records.entity(id);
  }

  /** All entities, in the order in which they were added; one that was replaced counts as added then. */
  entities(): AsyncIterable<EntityRecord> {
    this.#open();
    return this.#entities();
  }

  /** Ends the use of the snapshot. What runs on it must have ended. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#release(this.#view);
  }

  /** As `release`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async *#entities(): AsyncGenerator<EntityRecord> {
    for await (const entity of this.#records.entities()) {
      // What was read after the release is of another state.
      this.#open();
      yield entity;
    }
  }

  async #search(space: 'passages' | 'images', vectors: Matrix, options: StoreSearchOptions): Promise<Hits> {
    const { indexes } = this.#open();
    const { signal, temperature } = options;
    const k = checkedK(options.k);
    const allowed = await this.#allowed(space, options);
    if (allowed.count === 0) return { queries: vectors.rows, k: 0, ...noCertificate(noHits(vectors.rows)) };
    const index = indexes.flat(space) as FlatIndex;
    const filter = this.#filterFor(index.rows, space, allowed);
    return index.search(vectors, { k: Math.min(k, allowed.count), signal, temperature, filter });
  }

  async #vectors(
    space: 'passages' | 'images',
    rows: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<Matrix> {
    this.#requireRows(space, rows);
    const index = this.#open().indexes.flat(space) as FlatIndex;
    return index.read(Uint32Array.from(rows), { signal });
  }

  /** The rows that may be found, and how many they are. */
  async #allowed(
    space: 'passages' | 'images',
    { filter }: Pick<StoreSearchOptions, 'filter'>,
  ): Promise<{ readonly bits: Uint8Array; readonly count: number }> {
    const view = this.#open();
    const live = view.live[space];
    const { searchablePassages, searchableImages } = this.counts;
    const count = space === 'passages' ? searchablePassages : searchableImages;
    if (filter === undefined || count === 0) return { bits: live, count };
    const bits = bothAllow(live, await view.filters.rows(filter, space, live.length));
    return { bits, count: countRows(bits) };
  }

  /** None where every row of the index may be found. The index may hold rows of later states, and get more at any time. */
  #filterFor(
    indexRows: number,
    space: 'passages' | 'images',
    { bits, count }: { readonly bits: Uint8Array; readonly count: number },
  ): Uint8Array | undefined {
    const { state, indexes } = this.#view;
    const rows = space === 'passages' ? state.passageRows : state.imageRows;
    if (indexRows === rows && count === rows && !indexes.appending) return undefined;
    return forIndex(bits, indexRows);
  }

  #requireRows(space: 'passages' | 'images', rows: readonly number[]): void {
    const live = this.#open().live[space];
    for (const row of rows) {
      const isLive =
        Number.isSafeInteger(row) && row >= 0 && ((live[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
      if (!isLive) {
        throw new GranuleError('ROW_NOT_FOUND', `row ${row} is none of the ${space} of this snapshot`, {
          row,
        });
      }
    }
  }

  #open(): SnapshotView {
    if (this.#released) {
      throw new GranuleError('INDEX_DISPOSED', `the snapshot of ${this.#folder} was released`, {
        folder: this.#folder,
      });
    }
    return this.#view;
  }
}

/** What a state holds. */
export function countsOf(state: CorpusState): SnapshotCounts {
  const { entities, documents, passages, images } = state;
  return {
    entities,
    documents,
    passages,
    images,
    searchablePassages: state.passageRows - state.deadPassages,
    searchableImages: state.imageRows - state.deadImages,
  };
}

function checkedK(k: number): number {
  if (Number.isSafeInteger(k) && k >= 1) return k;
  throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
}

/** No place for any query. */
function noHits(queries: number) {
  return {
    rows: new Uint32Array(0),
    scores: new Float32Array(0),
    counts: new Uint32Array(queries),
    probabilities: new Float32Array(0),
    thresholds: new Float32Array(queries).fill(-Infinity),
    rowsRescored: new Uint32Array(queries),
    matchedVectors: undefined,
    matchedSimilarities: undefined,
    logSumExp: undefined,
    massShare: undefined,
  };
}

function noCertificate({
  rows,
  scores,
  counts,
  probabilities,
  thresholds,
  rowsRescored,
}: ReturnType<typeof noHits>) {
  return { rows, scores, counts, probabilities, certificate: { thresholds, rowsScanned: 0, rowsRescored } };
}

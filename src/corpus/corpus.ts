import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GranuleError } from '../errors.js';
import { type CorpusInfo, describeCorpus } from './corpus-info.js';
import type { CorpusOpenOptions } from './corpus-options.js';
import { CurrentEncoders } from './current-encoders.js';
import type { CorpusState } from './database/corpus-state.js';
import type { CorpusEncoders } from './encoder-records.js';
import type { ReadyEncoders } from './ingest/batch-encoder.js';
import { type DeleteTarget, deleteFromCorpus } from './ingest/delete-from-corpus.js';
import { encodeWaiting, ingestSource, type PutOutcome, putLine } from './ingest/ingest-source.js';
import { type DocumentEntity, putDocument } from './ingest/put-document.js';
import { forgetRefusals } from './ingest/refused-images.js';
import type { IngestOptions, IngestReport, Refusal } from './ingest-report.js';
import { type CompactReport, compactCorpus } from './maintenance/compact.js';
import { type ReencodeReport, reencodeCorpus } from './maintenance/reencode.js';
import { type VerifyReport, verifyCorpus } from './maintenance/verify.js';
import type { CorpusLine, LineDocument } from './records.js';
import { CorpusSnapshot } from './snapshot/corpus-snapshot.js';
import { SnapshotSource } from './snapshot/snapshot-source.js';
import { CorpusFiles, unlessSystem } from './storage/corpus-files.js';
import { CorpusWriter } from './storage/corpus-writer.js';
import { createCorpusFolder } from './storage/create-folder.js';
import { IndexShelf } from './storage/index-shelf.js';
import { type CorpusRecovery, describeRecovery, removeLeftovers } from './storage/recovery.js';
import type { WriteAccess } from './storage/write-access.js';

const DEFAULT_JOURNAL_BYTES = 1 << 25;
/** Records are commits; more of them make an opening slow. */
const MOST_JOURNAL_RECORDS = 1024;
/** What may be left in the journal at an orderly end. */
const AT_THE_END = { bytes: 1 << 20, records: 32 } as const;

/**
 * A knowledge base on disk: entities with metadata, their documents, passages and images, and the vectors of both. It can be
 * changed while it is searched, by one writer at a time among all processes; what a change has acknowledged survives a crash.
 *
 * ```ts
 * await using corpus = await Corpus.create('kb', { textEncoder, imageEncoder });
 * await corpus.ingest('corpus.jsonl');
 * await corpus.put({ entity: { id: 'fr', title: 'France' }, documents: [{ id: 'fr-1', text }] });
 * await using snapshot = await corpus.snapshot();
 * const hits = await snapshot.searchPassages(queries, { k: 10, filter: { continent: 'Europe' } });
 * const passages = await snapshot.passages([...hits.rows]);
 * ```
 */
export class Corpus implements AsyncDisposable {
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly #files: CorpusFiles;
  readonly #options: CorpusOpenOptions;
  readonly #shelf: IndexShelf;
  readonly #source: SnapshotSource;
  readonly #writer: CorpusWriter;
  readonly #encoders: CurrentEncoders;
  #recovery: CorpusRecovery = describeRecovery({ deletedGenerations: 0, orphanImages: 0 }, 0, 0);
  #wrote = false;
  #closed: Promise<void> | undefined;

  private constructor(folder: string, encoders: CorpusEncoders | undefined, options: CorpusOpenOptions) {
    this.folder = resolve(folder);
    this.#files = new CorpusFiles(this.folder);
    this.#encoders = new CurrentEncoders(this.#files, encoders);
    this.#options = options;
    const dimensionsAt = (state: CorpusState) => this.#encoders.at(state)?.dimensions;
    this.#shelf = new IndexShelf(this.#files, dimensionsAt, { device: options.device });
    this.#writer = new CorpusWriter(this.#files, this.#shelf);
    this.#source = new SnapshotSource(this.#files, this.#shelf, (state, connection) =>
      this.#encoders.refresh(state, connection),
    );
  }

  /**
   * Makes the folder of an empty corpus and opens it.
   *
   * @throws GranuleError `CORPUS_EXISTS` where `folder` is there already and not empty; `FILE_NOT_WRITABLE`
   */
  static async create(
    folder: string,
    encoders: CorpusEncoders,
    options: CorpusOpenOptions = {},
  ): Promise<Corpus> {
    await createCorpusFolder(resolve(folder), encoders);
    return Corpus.open(folder, encoders, options);
  }

  /**
   * Opens a corpus, and repairs what a crash has left (`recovery`). Encoders that learned from it get back what they learned.
   *
   * @param encoders - needed for `ingest`, `put` and `encodePending`; without them the corpus can be searched with vectors, and
   * maintained
   * @throws GranuleError `CORPUS_NOT_FOUND`; `CORPUS_INVALID`, naming the file, where one is damaged or missing;
   * `ENCODER_MISMATCH` where the corpus was built with another encoder, version or dimension; `DEVICE_UNAVAILABLE`, `ABORTED`
   */
  static async open(
    folder: string,
    encoders?: CorpusEncoders,
    options: CorpusOpenOptions = {},
  ): Promise<Corpus> {
    const corpus = new Corpus(folder, encoders, options);
    const isCorpus = await stat(corpus.#files.database).catch(() => undefined);
    if (isCorpus === undefined) {
      throw new GranuleError('CORPUS_NOT_FOUND', `${folder} holds no corpus (no file corpus.sqlite)`, {
        folder,
      });
    }
    try {
      await corpus.#open();
    } catch (error) {
      await corpus.#end();
      throw error;
    }
    return corpus;
  }

  /** What the opening put right. */
  get recovery(): CorpusRecovery {
    return this.#recovery;
  }

  /** @throws GranuleError as `snapshot` */
  async info(): Promise<CorpusInfo> {
    const view = await this.#source.acquire();
    try {
      return describeCorpus(this.folder, view.state, view.encoding.records);
    } finally {
      await this.#source.release(view);
    }
  }

  /**
   * The latest state, to read and search in, whatever changes meanwhile; release it.
   *
   * @throws GranuleError `CORPUS_INVALID`, `ENCODER_MISMATCH` where another process has encoded the corpus anew with another
   * encoder, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED` once closed
   */
  async snapshot(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CorpusSnapshot> {
    const view = await this.#source.acquire(options.signal);
    return new CorpusSnapshot(view, this.#files, (done) => this.#source.release(done));
  }

  /**
   * Takes all lines of a JSONL file, of a folder (its `corpus.jsonl`, or else its images and texts), or from memory. A line is
   * the whole of its entity: it takes the place of what is stored, unless that is the same. So an ingest can be repeated, and one
   * that was interrupted goes on where it was. Lines are committed in batches; each line is there as a whole or not at all.
   *
   * A line that cannot be taken is refused with its number and a code, and the rest goes on. Relative image paths start at
   * the file's folder, or for lines in memory at the working directory. Images are copied.
   *
   * @throws GranuleError `FILE_NOT_FOUND` for a missing source, `CORPUS_EMPTY` where no line could be taken and the corpus holds
   * none, `CORPUS_LOCKED` where somebody else is writing, `FILE_NOT_WRITABLE`, `ABORTED`, and what the encoders throw; what was
   * committed before stays
   */
  async ingest(
    source: string | Iterable<CorpusLine> | AsyncIterable<CorpusLine>,
    options: IngestOptions = {},
  ): Promise<IngestReport> {
    const encoders = this.#encoders.required();
    return this.#change(async (access) => {
      const report = await ingestSource(access, source, encoders, this.#encoders.ready(), options, () =>
        this.#checkpoint(access),
      );
      const unencoded = await this.#encodePending(access, encoders, options);
      await finish(access);
      const { entities, documents, passages, images } = await access.state();
      const refused = [...unencoded, ...report.refused];
      return { ...report, refused, entities, documents, passages, images };
    });
  }

  /**
   * Stores one line as the whole of its entity. When this settles the line is on the disk, and the next snapshot finds it.
   * An encoder that learns and has not learned yet learns from what is stored then; `ingest` many lines first.
   *
   * @returns what it did to the entity
   * @throws GranuleError `CORPUS_LINE_INVALID`, `DUPLICATE_ID` where an id is another entity's, `FILE_NOT_FOUND` and
   * `IMAGE_UNREADABLE` for images, `CORPUS_LOCKED`, `FILE_NOT_WRITABLE`, `ABORTED`, and what the encoders throw
   */
  async put(
    line: CorpusLine,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<PutOutcome> {
    return this.#put(options, (access, encoders, ready, signal) =>
      putLine(access, line, encoders, ready, signal),
    );
  }

  /**
   * Stores one document of an entity, in place of the entity's document that has its id. Whatever else the entity has stays as it
   * is stored at that moment, whoever has changed it.
   *
   * @param entity - the title is needed where the entity is new; where it has another title, this one takes its place
   * @returns what it did to the document
   * @throws GranuleError `INVALID_ARGUMENT` for a new entity without a title, `DUPLICATE_ID` where the document's id is another
   * entity's, and as `put`
   */
  async putDocument(
    entity: DocumentEntity,
    document: LineDocument,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<PutOutcome> {
    return this.#put(options, (access, encoders, ready, signal) =>
      putDocument(access, entity, document, encoders, ready, signal),
    );
  }

  /**
   * Deletes an entity with all that belongs to it, a document with its passages, a passage, or an image. Snapshots that were
   * taken before still have it.
   *
   * @returns whether it was there
   * @throws GranuleError `INVALID_ARGUMENT`, `CORPUS_LOCKED`, `FILE_NOT_WRITABLE`
   */
  async delete(target: DeleteTarget): Promise<boolean> {
    return this.#change((access) => deleteFromCorpus(access, target));
  }

  /**
   * Encodes what is stored and not encoded, as after an ingest that was interrupted; an encoder that learns and has not
   * learned yet learns first. `ingest` and `put` do this at their end, but for images that the encoder has refused already.
   *
   * @throws GranuleError `CORPUS_LOCKED`, `FILE_NOT_WRITABLE`, `ABORTED`, and what the encoders throw
   */
  async encodePending(options: IngestOptions = {}): Promise<void> {
    const encoders = this.#encoders.required();
    await this.#change(async (access) => {
      await forgetRefusals(access);
      await this.#encodePending(access, encoders, options);
      await finish(access);
    });
  }

  /**
   * Reads everything and compares it: the database, the rows of the indexes with their checksums, the images' bytes, what
   * belongs together. Changes nothing.
   *
   * @throws GranuleError as `snapshot`, `ABORTED`
   */
  async verify(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<VerifyReport> {
    const view = await this.#source.acquire(options.signal);
    try {
      return await verifyCorpus(this.#files, view, options.signal);
    } finally {
      await this.#source.release(view);
    }
  }

  /**
   * Drops the vectors of what was deleted, merges the index files, and deletes image files that nothing names. A crash leaves
   * the former state or the new one. Snapshots go on with the former one.
   *
   * @throws GranuleError `CORPUS_LOCKED`, `FILE_NOT_WRITABLE`, `OUT_OF_MEMORY`, `ABORTED`
   */
  async compact(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CompactReport> {
    return this.#change((access) => compactCorpus(access, this.#shelf, options.signal));
  }

  /**
   * Encodes everything anew, with other encoders or with the same after they have learned from all that is stored now. A crash
   * leaves the former state or the new one.
   *
   * @throws GranuleError as `compact`, and what the encoders throw
   */
  async reencode(encoders: CorpusEncoders, options: IngestOptions = {}): Promise<ReencodeReport> {
    return this.#change((access) =>
      this.#encoders.replacing(encoders, async () => {
        const report = await reencodeCorpus(access, this.#shelf, encoders, options);
        await this.#keepLearned(access);
        return report;
      }),
    );
  }

  /** Waits for changes under way, moves what waits to the index folders where that is due, and ends the threads. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<void> {
    await this.#source.open();
    const view = await this.#source.acquire(this.#options.signal);
    try {
      const mayWrite = this.#options.readOnly !== true && !this.#source.immutable;
      const leftovers = mayWrite
        ? await removeLeftovers(this.#files, this.#writer, view.connection, view.state.generation)
        : { deletedGenerations: 0, orphanImages: 0 };
      this.#recovery = describeRecovery(leftovers, view.journalRows, view.skippedRows);
    } finally {
      await this.#source.release(view);
    }
  }

  async #close(): Promise<void> {
    if (this.#wrote) {
      // What is not moved now is still in the database, and is moved another time.
      await this.#writer.change(finish).catch(() => undefined);
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#source.close();
    await this.#writer.close();
    await this.#shelf.clear();
  }

  async #change<T>(work: (access: WriteAccess) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw new GranuleError('INDEX_DISPOSED', `${this.folder} is closed`, { folder: this.folder });
    }
    if (this.#options.readOnly || this.#source.immutable) {
      const why = this.#options.readOnly ? 'was opened to be read only' : 'lies where nothing can be written';
      throw new GranuleError('FILE_NOT_WRITABLE', `${this.folder} ${why}`, { file: this.folder });
    }
    try {
      return await this.#writer.change(async (access) => {
        this.#wrote = true;
        await this.#encoders.refresh(await access.state(), access.connection);
        return work(access);
      });
    } catch (error) {
      throw unlessSystem(error, this.folder);
    }
  }

  #put(
    { signal }: { readonly signal?: AbortSignal | undefined },
    store: (
      access: WriteAccess,
      encoders: CorpusEncoders,
      ready: ReadyEncoders,
      signal: AbortSignal | undefined,
    ) => Promise<PutOutcome>,
  ): Promise<PutOutcome> {
    const encoders = this.#encoders.required();
    return this.#change(async (access) => {
      const outcome = await store(access, encoders, this.#encoders.ready(), signal);
      await this.#encodePending(access, encoders, signal === undefined ? {} : { signal });
      await this.#checkpoint(access);
      return outcome;
    });
  }

  async #encodePending(
    access: WriteAccess,
    encoders: CorpusEncoders,
    options: IngestOptions,
  ): Promise<Refusal[]> {
    const refused = await encodeWaiting(access, encoders, this.#encoders.ready(), options, () =>
      this.#checkpoint(access),
    );
    await this.#keepLearned(access);
    return refused;
  }

  /** Records that the encoders hold what is committed; nobody else can have changed it during a change. */
  async #keepLearned(access: WriteAccess): Promise<void> {
    await this.#encoders.refresh(await access.state(), access.connection, { learnedHere: true });
  }

  async #checkpoint(access: WriteAccess): Promise<void> {
    await this.#keepLearned(access);
    const bytes = this.#options.journalBytes ?? DEFAULT_JOURNAL_BYTES;
    return access.checkpoint({ bytes, records: MOST_JOURNAL_RECORDS });
  }
}

/** Leaves a corpus that is small and quick to open. */
async function finish(access: WriteAccess): Promise<void> {
  await access.checkpoint(AT_THE_END);
  await access.shrink();
}

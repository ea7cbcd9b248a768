import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ImageEncoder, TextEncoder } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { syncFolder, writeDurably } from '../files/durable-file.js';
import { CorpusDatabase, type EncoderRecord, type VectorFile } from './corpus-database.js';
import { claimedId, type ParsedCorpusLine, parseCorpusLine } from './corpus-line.js';
import { encodeEntityImages, encodePassageTexts } from './corpus-vectors.js';
import { linePassages } from './document-passages.js';
import { isFittedEncoder } from './fitted-encoder.js';
import { type ImageFile, readImageFile } from './image-file.js';
import type { IngestOptions, IngestReport, Refusal } from './ingest-report.js';
import type { SourceLine } from './jsonl-reader.js';
import type { LinePassage } from './records.js';
import { VectorStore } from './vector-store.js';

/** The encoders of a corpus. */
export interface CorpusEncoders {
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
}

/** Lines that are checked at once, and after which the event loop gets its turn. */
const WINDOW = 16;
const LINES_PER_TRANSACTION = 1024;

type Prepared =
  | { readonly line: ParsedCorpusLine; readonly passages: readonly LinePassage[]; readonly image?: ImageFile }
  | { readonly error: GranuleError };

/**
 * Builds a corpus folder from a source of lines.
 *
 * Everything is written to a hidden folder beside `folder`, which takes its place at the very end: whatever happens
 * before, `folder` does not exist. A process that is killed leaves the hidden folder behind (`.<name>.building-*`).
 */
export class CorpusBuilder {
  readonly #encoders: CorpusEncoders;
  readonly #options: IngestOptions;
  readonly #refused: Refusal[] = [];
  /** Line of each entity with an image, by row, for images that the encoder refuses. */
  readonly #lineOfImage = new Map<number, number>();
  #rows = 0;

  constructor(encoders: CorpusEncoders, options: IngestOptions) {
    this.#encoders = encoders;
    this.#options = options;
  }

  /**
   * @param imageFolder - what relative image paths are relative to
   * @throws GranuleError `CORPUS_EMPTY` where no line could be taken, `CORPUS_EXISTS`, `FILE_NOT_WRITABLE`, `ABORTED`
   */
  async build(folder: string, source: AsyncIterable<SourceLine>, imageFolder: string): Promise<IngestReport> {
    const target = resolve(folder);
    try {
      return await this.#buildBeside(target, source, imageFolder);
    } catch (error) {
      throw unlessSystem(error, target);
    }
  }

  async #buildBeside(
    target: string,
    source: AsyncIterable<SourceLine>,
    imageFolder: string,
  ): Promise<IngestReport> {
    await mkdir(dirname(target), { recursive: true });
    const shell = await mkdtemp(join(dirname(target), `.${basename(target)}.building-`));
    try {
      // The folder that is renamed has ordinary permissions; those of a temporary folder are private.
      const work = join(shell, 'corpus');
      await mkdir(join(work, 'images'), { recursive: true });
      const report = await this.#fill(work, source, imageFolder);
      await syncFolder(work);
      await moveInto(target, work);
      return report;
    } finally {
      await rm(shell, { recursive: true, force: true });
    }
  }

  async #fill(work: string, source: AsyncIterable<SourceLine>, imageFolder: string): Promise<IngestReport> {
    const database = await CorpusDatabase.create(work);
    try {
      await this.#takeLines(database, work, source, imageFolder);
      const { textEncoder, imageEncoder } = this.#encoders;
      const store = new VectorStore(work);
      const files: VectorFile[] = [];

      const images = await encodeEntityImages(
        database,
        work,
        imageEncoder,
        this.#options,
        async (entity, error) => {
          database.deleteEntity(entity.row);
          await rm(join(work, entity.image!));
          this.#refuse(this.#lineOfImage.get(entity.row)!, error, entity.id);
        },
      );
      files.push(await store.write(1, 'entities', images));
      if (database.count('entities') === 0) this.#throwEmpty();
      files.push(
        await store.write(1, 'passages', await encodePassageTexts(database, textEncoder, this.#options)),
      );

      this.#checkAborted();
      const passages = database.count('passages');
      database.begin();
      database.insertEncoder(record('text', textEncoder, passages > 0));
      database.insertEncoder(record('image', imageEncoder, images.get('vectors')!.shape[0]! > 0));
      for (const file of files) database.insertVectorFile(file);
      database.commit();
      database.seal();
      return {
        taken: database.count('entities'),
        refused: this.#refused.toSorted((a, b) => a.line - b.line),
        entities: database.count('entities'),
        passages,
        images: images.get('vectors')!.shape[0]!,
      };
    } finally {
      database.close();
    }
  }

  async #takeLines(
    database: CorpusDatabase,
    work: string,
    source: AsyncIterable<SourceLine>,
    imageFolder: string,
  ): Promise<void> {
    let window: SourceLine[] = [];
    let done = 0;
    let inTransaction = 0;
    const takeWindow = async () => {
      const prepared = await Promise.all(window.map((line) => prepare(line, imageFolder)));
      for (const [i, source] of window.entries()) await this.#take(database, work, source, prepared[i]!);
      done += window.length;
      inTransaction += window.length;
      const fraction = window.at(-1)?.fraction;
      window = [];
      if (inTransaction >= LINES_PER_TRANSACTION) {
        database.commit();
        database.begin();
        inTransaction = 0;
      }
      this.#options.onProgress?.({ stage: 'lines', done, ...(fraction !== undefined && { fraction }) });
      await setImmediate();
    };

    database.begin();
    for await (const line of source) {
      this.#checkAborted();
      window.push(line);
      if (window.length === WINDOW) await takeWindow();
    }
    await takeWindow();
    database.commit();
    await syncFolder(join(work, 'images'));
    if (this.#rows === 0) this.#throwEmpty();
  }

  async #take(database: CorpusDatabase, work: string, source: SourceLine, prepared: Prepared): Promise<void> {
    if ('error' in prepared) {
      this.#refuse(source.line, prepared.error, 'value' in source ? claimedId(source.value) : undefined);
      return;
    }
    const { passages } = prepared;
    const { entity, metadata } = prepared.line;
    if (database.hasEntity(entity.id)) {
      this.#refuse(source.line, duplicate('entity', entity.id), entity.id);
      return;
    }
    const taken = passages.find(({ id }) => database.hasPassage(id));
    if (taken !== undefined) {
      this.#refuse(source.line, duplicate('passage', taken.id), entity.id);
      return;
    }
    const row = this.#rows + 1;
    this.#rows = row;
    let image: string | undefined;
    if (prepared.image !== undefined) {
      image = `images/${row}.${prepared.image.extension}`;
      await writeDurably(join(work, image), [prepared.image.bytes]);
      this.#lineOfImage.set(row, source.line);
    }
    database.insertEntity({
      row,
      id: entity.id,
      title: entity.title,
      ...(image !== undefined && { image }),
      ...(metadata !== undefined && { metadata }),
    });
    for (const { id, text } of passages) database.insertPassage(id, row, text);
  }

  #refuse(line: number, error: GranuleError, id: string | undefined): void {
    const refusal = { line, ...(id !== undefined && { id }), code: error.code, message: error.message };
    this.#refused.push(refusal);
    this.#options.onRefused?.(refusal);
  }

  #checkAborted(): void {
    if (this.#options.signal?.aborted)
      throw new GranuleError('ABORTED', 'the ingest was aborted', {}, { cause: this.#options.signal.reason });
  }

  #throwEmpty(): never {
    throw new GranuleError('CORPUS_EMPTY', `nothing could be taken: ${this.#refused.length} lines refused`, {
      refused: this.#refused.length,
      lines: this.#refused
        .slice(0, 20)
        .map(({ line, code, message }) => `line ${line}: ${message} [${code}]`),
    });
  }
}

/** Whether nothing, or only an empty folder, is at `folder`. */
export async function isFree(folder: string): Promise<boolean> {
  const status = await lstat(folder).catch(() => undefined);
  if (status === undefined) return true;
  return status.isDirectory() && (await readdir(folder).catch(() => ['unreadable'])).length === 0;
}

/** The error itself, or what it means where the operating system or SQLite could not write. */
function unlessSystem(error: unknown, folder: string): unknown {
  const { syscall, code, message } = error as NodeJS.ErrnoException;
  if (error instanceof GranuleError || (syscall === undefined && !code?.startsWith('SQLITE_'))) return error;
  return new GranuleError(
    'FILE_NOT_WRITABLE',
    `cannot build ${folder}: ${message}`,
    { file: folder },
    { cause: error },
  );
}

async function moveInto(target: string, work: string): Promise<void> {
  try {
    await rmdir(target).catch(() => undefined);
    await rename(work, target);
  } catch (cause) {
    if (await isFree(target)) throw cause;
    throw new GranuleError(
      'CORPUS_EXISTS',
      `${target} came into being during the ingest`,
      { folder: target },
      { cause },
    );
  }
  await syncFolder(dirname(target));
}

async function prepare(source: SourceLine, imageFolder: string): Promise<Prepared> {
  if ('error' in source) return source;
  try {
    const line = parseCorpusLine(source.value);
    const passages = linePassages(line);
    const [image, second] = line.images;
    if (second !== undefined)
      throw new GranuleError('CORPUS_LINE_INVALID', 'an entity has one image at most');
    if (image === undefined) return { line, passages };
    return { line, passages, image: await readImageFile(resolve(imageFolder, image.file)) };
  } catch (error) {
    if (error instanceof GranuleError) return { error };
    throw error;
  }
}

function record(
  role: 'text' | 'image',
  encoder: (TextEncoder | ImageEncoder) & { readonly patchDimension?: number },
  fitted: boolean,
): EncoderRecord {
  return {
    role,
    name: encoder.name,
    version: encoder.version,
    dimension: encoder.dimension,
    patchDimension: encoder.patchDimension ?? 0,
    state: fitted && isFittedEncoder(encoder) ? encoder.state() : undefined,
  };
}

function duplicate(what: string, id: string): GranuleError {
  return new GranuleError('DUPLICATE_ID', `${what} id '${id}' was already taken by an earlier line`, { id });
}

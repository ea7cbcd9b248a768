import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Quads } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { type Matrix, matrix, type RaggedMatrix } from '../vectors/matrix.js';
import { CorpusBuilder, type CorpusEncoders, isFree } from './corpus-builder.js';
import { type CorpusContent, loadCorpus } from './corpus-content.js';
import { readFolder } from './folder-reader.js';
import type { IngestOptions, IngestReport } from './ingest-report.js';
import { readJsonl, type SourceLine } from './jsonl-reader.js';
import type { CorpusLine, Entity, Passage } from './records.js';
import { unreadableFile } from './unreadable-file.js';

/**
 * A knowledge base: entities, their images and passages, and the vectors of both. On disk it is a folder that stands
 * alone (`corpus.sqlite`, `images/`, `vectors/`) and can be moved, copied, and read from a medium that forbids writing.
 *
 * ```ts
 * const corpus = await Corpus.create('kb', { textEncoder, imageEncoder });
 * const report = await corpus.ingest('corpus.jsonl');
 * // later, in any process
 * const corpus = await Corpus.open('kb', { textEncoder, imageEncoder });
 * ```
 *
 * What it reads is held in memory until `close()`.
 */
export class Corpus {
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly #encoders: CorpusEncoders;
  #content: CorpusContent | undefined;
  #state: 'new' | 'ingesting' | 'open' | 'closed' = 'new';

  private constructor(folder: string, encoders: CorpusEncoders) {
    this.folder = resolve(folder);
    this.#encoders = encoders;
  }

  /**
   * A corpus that is to be built in `folder` by one `ingest`; until then nothing is written.
   *
   * @throws GranuleError `CORPUS_EXISTS` where `folder` is there already and not empty
   */
  static async create(folder: string, encoders: CorpusEncoders): Promise<Corpus> {
    const corpus = new Corpus(folder, encoders);
    await corpus.#requireFree();
    return corpus;
  }

  /**
   * Opens a corpus and reads it. Encoders that learned from it get back what they learned.
   *
   * @throws GranuleError `CORPUS_NOT_FOUND`; `CORPUS_INVALID`, naming the file, where one is damaged or missing;
   * `ENCODER_MISMATCH` where the corpus was built with another encoder, version or dimension
   */
  static async open(folder: string, encoders: CorpusEncoders): Promise<Corpus> {
    const corpus = new Corpus(folder, encoders);
    const isCorpus = await stat(join(corpus.folder, 'corpus.sqlite')).catch(() => undefined);
    if (isCorpus === undefined) {
      throw new GranuleError('CORPUS_NOT_FOUND', `${folder} holds no corpus (no file corpus.sqlite)`, {
        folder,
      });
    }
    await corpus.#load();
    return corpus;
  }

  /**
   * Builds the corpus from a JSONL file, from a folder (its `corpus.jsonl`, or else its images and texts), or from
   * lines in memory, and opens it. The folder of the corpus appears at the end, whole.
   *
   * A line that cannot be taken is refused with its number and a code, and the rest goes on. Relative image paths start at
   * the file's folder, or for lines in memory at the working directory. Images are copied.
   *
   * @throws GranuleError `FILE_NOT_FOUND` for a missing source, `CORPUS_EMPTY` where no line could be taken,
   * `CORPUS_EXISTS` where this corpus already holds something, `FILE_NOT_WRITABLE`, `ABORTED`, and what the encoders throw; after an error
   * there is no folder
   */
  async ingest(
    source: string | Iterable<CorpusLine> | AsyncIterable<CorpusLine>,
    options: IngestOptions = {},
  ): Promise<IngestReport> {
    if (this.#state !== 'new') {
      throw new GranuleError(
        'CORPUS_EXISTS',
        `${this.folder} is already built; an ingest makes a new corpus`,
        {
          folder: this.folder,
        },
      );
    }
    this.#state = 'ingesting';
    try {
      await this.#requireFree();
      const { lines, imageFolder } =
        typeof source === 'string' ? await fileSource(source) : { lines: numbered(source), imageFolder: '.' };
      const report = await new CorpusBuilder(this.#encoders, options).build(this.folder, lines, imageFolder);
      await this.#load();
      return report;
    } finally {
      if (this.#content === undefined) this.#state = 'new';
    }
  }

  /** All entities, in the order of their lines; `image` is an absolute path inside the corpus. */
  get entities(): readonly Entity[] {
    return this.#open().entities;
  }

  /** The entities that have an image: entity i belongs to row i of `entityVectors` and item i of `entityPatches`. */
  get picturedEntities(): readonly Entity[] {
    return this.#open().picturedEntities;
  }

  /** All passages: passage i belongs to row i of `passageVectors`. */
  get passages(): readonly Passage[] {
    return this.#open().passages;
  }

  /** pictured entities x the image encoder's dimension. */
  get entityVectors(): Matrix {
    return matrix(this.#open().entityVectors, this.#encoders.imageEncoder.dimension);
  }

  /** Patch vectors per pictured entity; undefined where the image encoder has none. */
  get entityPatches(): RaggedMatrix | undefined {
    return this.#open().patches?.vectors;
  }

  /** The place of each patch in its entity's image, in the order of `entityPatches.data`. */
  get patchQuads(): Quads | undefined {
    return this.#open().patches?.quads;
  }

  /** passages x the text encoder's dimension. */
  get passageVectors(): Matrix {
    return matrix(this.#open().passageVectors, this.#encoders.textEncoder.dimension);
  }

  /** The entity with this id, or undefined. */
  entityById(id: string): Entity | undefined {
    return this.#open().entityById.get(id);
  }

  /** Absolute path of an entity's image; undefined where there is no such entity or it has no image. */
  imagePath(entityId: string): string | undefined {
    return this.entityById(entityId)?.image;
  }

  /** Frees what was read; the corpus cannot be used afterwards. */
  close(): void {
    this.#content = undefined;
    this.#state = 'closed';
  }

  #open(): CorpusContent {
    if (this.#content === undefined) {
      const why = this.#state === 'closed' ? 'is closed' : 'is empty until an ingest has ended';
      throw new GranuleError(
        this.#state === 'closed' ? 'INDEX_DISPOSED' : 'CORPUS_EMPTY',
        `${this.folder} ${why}`,
        {
          folder: this.folder,
        },
      );
    }
    return this.#content;
  }

  async #load(): Promise<void> {
    this.#content = await loadCorpus(this.folder, this.#encoders);
    this.#state = 'open';
  }

  async #requireFree(): Promise<void> {
    if (await isFree(this.folder)) return;
    throw new GranuleError('CORPUS_EXISTS', `${this.folder} already exists; an ingest makes a new corpus`, {
      folder: this.folder,
    });
  }
}

async function fileSource(path: string): Promise<{ lines: AsyncIterable<SourceLine>; imageFolder: string }> {
  const status = await stat(path).catch(unreadableFile(path));
  if (!status.isDirectory()) return { lines: readJsonl(path), imageFolder: dirname(path) };
  const jsonl = join(path, 'corpus.jsonl');
  const hasJsonl = await stat(jsonl).then(
    (file) => file.isFile(),
    () => false,
  );
  return { lines: hasJsonl ? readJsonl(jsonl) : readFolder(path), imageFolder: path };
}

async function* numbered(
  lines: Iterable<CorpusLine> | AsyncIterable<CorpusLine>,
): AsyncGenerator<SourceLine> {
  let line = 0;
  for await (const value of lines) {
    line += 1;
    yield { line, value };
  }
}

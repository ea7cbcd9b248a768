import { GranuleError } from '../errors.js';
import type { CorpusState } from './database/corpus-state.js';
import type { Connection } from './database/database-thread.js';
import {
  type CorpusEncoders,
  dimensionsOf,
  type EncoderRecord,
  type EncoderRole,
  readEncoderRecords,
  requireEncoder,
  restoreEncoder,
} from './encoder-records.js';
import { isFittedEncoder } from './fitted-encoder.js';
import type { ReadyEncoders } from './ingest/batch-encoder.js';
import type { CorpusFiles } from './storage/corpus-files.js';
import type { Dimensions } from './storage/index-set.js';

/** What a corpus says of its encoders in one state. */
export interface Encoding {
  /** The number of the state's `encoding`. */
  readonly number: number;
  readonly records: Readonly<Record<EncoderRole, EncoderRecord>>;
  readonly dimensions: Dimensions;
}

/** The encoders of an open corpus, kept at the latest state that was seen; never taken back to an earlier one. */
export class CurrentEncoders {
  readonly #files: CorpusFiles;
  #encoders: CorpusEncoders | undefined;
  #encoding: Encoding | undefined;
  /** Whether the encoders hold what `#encoding` records. */
  #restored = false;

  constructor(files: CorpusFiles, encoders: CorpusEncoders | undefined) {
    this.#files = files;
    this.#encoders = encoders;
  }

  /**
   * The encoders to encode with.
   *
   * @throws GranuleError `INVALID_ARGUMENT` where the corpus was opened without
   */
  required(): CorpusEncoders {
    if (this.#encoders !== undefined) return this.#encoders;
    const { folder } = this.#files;
    throw new GranuleError('INVALID_ARGUMENT', `${folder} was opened without encoders`, { folder });
  }

  /** Which encoders can encode: those that learn must have learned. */
  ready(): ReadyEncoders {
    const { textEncoder, imageEncoder } = this.required();
    const records = this.#encoding?.records;
    return {
      text: !isFittedEncoder(textEncoder) || records?.text.state !== undefined,
      image: !isFittedEncoder(imageEncoder) || records?.image.state !== undefined,
    };
  }

  /** What is recorded as of `state`; undefined where that is another encoding than the latest that was seen. */
  at(state: CorpusState): Encoding | undefined {
    return this.#encoding?.number === state.encoding ? this.#encoding : undefined;
  }

  /**
   * Reads the records where a state has others, and gives what was learned to the encoders.
   *
   * @param connection - in the transaction in which the state was read
   * @param learnedHere - it is these encoders that have just learned it
   * @returns undefined where a later encoding was seen already: the state is outdated
   * @throws GranuleError `ENCODER_MISMATCH`, `CORPUS_INVALID`
   */
  async refresh(
    state: CorpusState,
    connection: Connection,
    { learnedHere = false }: { readonly learnedHere?: boolean } = {},
  ): Promise<Encoding | undefined> {
    if (this.#isOutdated(state)) return undefined;
    if (this.#restored && this.at(state) !== undefined) return this.#encoding;
    const records = await readEncoderRecords(connection, this.#files.database);
    // Another call may have come to a later state meanwhile.
    if (this.#isOutdated(state)) return undefined;
    if (this.#encoders !== undefined) {
      const { textEncoder, imageEncoder } = this.#encoders;
      requireEncoder(this.#files.folder, records.text, textEncoder);
      requireEncoder(this.#files.folder, records.image, imageEncoder);
      if (!learnedHere) {
        restoreEncoder(records.text, textEncoder);
        restoreEncoder(records.image, imageEncoder);
      }
    }
    const dimensions = dimensionsOf(records.text, records.image);
    this.#encoding = { number: state.encoding, records, dimensions };
    this.#restored = true;
    return this.#encoding;
  }

  /**
   * Runs `work` with other encoders, which stay where it ends well. What they have learned is not committed otherwise, and those of
   * before get back what was.
   */
  async replacing<T>(encoders: CorpusEncoders, work: () => Promise<T>): Promise<T> {
    const former = this.#encoders;
    this.#encoders = encoders;
    try {
      return await work();
    } catch (error) {
      this.#encoders = former;
      this.#restored = false;
      throw error;
    }
  }

  #isOutdated(state: CorpusState): boolean {
    return this.#encoding !== undefined && state.encoding < this.#encoding.number;
  }
}

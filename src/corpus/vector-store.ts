import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GranuleError } from '../errors.js';
import type { VectorFile } from './corpus-database.js';
import { readSafetensors, type Tensor, type Tensors, writeSafetensors } from './safetensors.js';

const FOLDER = 'vectors';

/**
 * The vector files of a corpus, `vectors/<generation>-<name>.safetensors`. Files are never changed once written; the
 * database says which of them are current and what they hash to.
 */
export class VectorStore {
  readonly #corpusFolder: string;

  constructor(corpusFolder: string) {
    this.#corpusFolder = corpusFolder;
  }

  /** Writes the tensors of `name` as a new file and returns what the database must record for it. */
  async write(generation: number, name: string, tensors: Tensors): Promise<VectorFile> {
    await mkdir(join(this.#corpusFolder, FOLDER), { recursive: true });
    const file = `${FOLDER}/${generation}-${name}.safetensors`;
    const { sha256 } = await writeSafetensors(join(this.#corpusFolder, file), tensors);
    return { name, file, sha256 };
  }

  /**
   * Reads a file that the database records.
   *
   * @throws GranuleError `CORPUS_INVALID`, naming the file, where it is missing or differs from what was written
   */
  async read({ file, sha256 }: VectorFile): Promise<Tensors> {
    const path = join(this.#corpusFolder, file);
    const { tensors, digest } = await readSafetensors(path);
    if (digest.sha256 !== sha256) {
      throw new GranuleError(
        'CORPUS_INVALID',
        `${path} was altered: its checksum differs from the recorded one`,
        {
          file: path,
        },
      );
    }
    return tensors;
  }

  /**
   * The float32 tensor `name` with `rows` rows of `columns` numbers.
   *
   * @throws GranuleError `CORPUS_INVALID` where the tensor is absent or has another type or shape
   */
  floats(tensors: Tensors, name: string, rows: number, columns: number): Float32Array {
    const data = this.#tensor(tensors, name, [rows, columns]).data;
    if (!(data instanceof Float32Array)) throw this.#wrong(name);
    return data;
  }

  /** The uint32 tensor `name` of `length` numbers; errors as for `floats`. */
  counts(tensors: Tensors, name: string, length: number): Uint32Array {
    const data = this.#tensor(tensors, name, [length]).data;
    if (!(data instanceof Uint32Array)) throw this.#wrong(name);
    return data;
  }

  #tensor(tensors: Tensors, name: string, shape: readonly number[]): Tensor {
    const tensor = tensors.get(name);
    if (tensor === undefined || String(tensor.shape) !== String(shape)) throw this.#wrong(name);
    return tensor;
  }

  #wrong(name: string): GranuleError {
    return new GranuleError(
      'CORPUS_INVALID',
      `the vectors '${name}' of ${this.#corpusFolder} do not fit its entities and passages`,
      { file: this.#corpusFolder, tensor: name },
    );
  }
}

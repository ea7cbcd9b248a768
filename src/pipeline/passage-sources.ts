import type { PassageRecord } from '../corpus/snapshot/stored-records.js';
import type { TextEncoder } from '../encoders/encoder.js';
import { rankedLists } from '../ranking/ranked-list.js';
import type { PassageStore } from '../retrievers/passage-store.js';
import { Bm25PassageSource, type Bm25SourceOptions } from './bm25-passage-source.js';
import { type DenseSource, type PipelineSources, type TextsOfRows, textOf } from './sources.js';

/** What the sources of passages are made of. */
export interface PassageSourcesOptions {
  /** The one that made the store's vectors. */
  readonly encoder: TextEncoder;
  /** How BM25 reads and weighs the passages. */
  readonly bm25?: Bm25SourceOptions | undefined;
}

/** Sources of passages, with what they keep in memory. */
export interface PassageSources extends PipelineSources, Disposable {}

/** Few enough that their texts take little memory. */
const ROWS_PER_READ = 1000;

/**
 * The passages of a corpus, or of a `MemoryPassageStore`, as sources of a pipeline.
 *
 * - `dense.text`: by the encoder's vectors; exact
 * - `sparse.text`: by BM25. The index over all passages is built when a search first needs it and kept in memory until
 *   `[Symbol.dispose]`; it takes about twice as much as the texts
 * - `groups.document` and `groups.entity` of rows of level `passage`, and the ids of passages
 *
 * @example
 * ```ts
 * using sources = passageSources(snapshot, { encoder });
 * const retriever = pipeline([dense(), sparse(), fuse({ method: 'rrf' })], { sources });
 * ```
 */
export function passageSources(
  store: PassageStore,
  { encoder, bm25 }: PassageSourcesOptions,
): PassageSources {
  const sparse = new Bm25PassageSource(store, bm25);
  const read = (value: (passage: PassageRecord) => string | undefined): TextsOfRows => {
    return async (rows) => {
      const values: (string | undefined)[] = [];
      for (let first = 0; first < rows.length; first += ROWS_PER_READ) {
        const passages = await store.passages([...rows.subarray(first, first + ROWS_PER_READ)]);
        values.push(...passages.map(value));
      }
      return values;
    };
  };
  return {
    dense: { text: denseSource(store, encoder) },
    sparse: { text: sparse },
    groups: {
      document: { passage: read(({ documentId }) => documentId) },
      entity: { passage: read(({ entityId }) => entityId) },
    },
    ids: { passage: read(({ id }) => id) },
    [Symbol.dispose]: () => sparse.dispose(),
  };
}

function denseSource(store: PassageStore, encoder: TextEncoder): DenseSource {
  return {
    level: 'passage',
    async encode(query, { signal }) {
      const { vectors } = await encoder.encodeQueries([textOf(query)], signal && { signal });
      return vectors.data;
    },
    async search(vector, options) {
      const query = { data: vector, rows: 1, columns: vector.length };
      return rankedLists(await store.searchPassages(query, options))[0]!;
    },
    vectorsOf: (rows, { signal }) => store.passageVectors([...rows], signal),
  };
}

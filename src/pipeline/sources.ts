/**
 * What a pipeline searches. Rows of sources of one level are the same items, so that their lists can be fused.
 *
 * @module
 */
import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { ImageInput } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import type { VectorMatches } from '../index/multi-vector-hits.js';
import type { RankedList } from '../ranking/ranked-list.js';
import type { Matrix, RaggedMatrix } from '../vectors/matrix.js';

/** What is looked for; each source takes from it what it can encode. */
export interface PipelineQuery {
  readonly text?: string | undefined;
  readonly image?: ImageInput | undefined;
}

/**
 * The text of a query.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function textOf({ text }: PipelineQuery): string {
  if (typeof text === 'string') return text;
  throw new GranuleError('INVALID_ARGUMENT', 'the pipeline searches for a text, and the query has none');
}

/** Options of every call of a source. */
export interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of every search of a source. */
export interface SourceSearchOptions extends SourceOptions {
  /** Most places of the list. */
  readonly k: number;
  /** Only rows with such metadata. */
  readonly filter?: MetadataFilter | undefined;
}

/** What all sources say of themselves. */
export interface Source {
  /** What its rows are: `passage`, `image`. */
  readonly level: string;
}

/** Items with one vector each. */
export interface DenseSource extends Source {
  /** The query's vector, d values. */
  encode(query: PipelineQuery, options: SourceOptions): Promise<Float32Array>;
  search(vector: Float32Array, options: SourceSearchOptions): Promise<RankedList>;
  /** The vectors of rows, in their order: rows x d. */
  vectorsOf(rows: Uint32Array, options: SourceOptions): Promise<Matrix>;
}

/** Items that are found by terms. */
export interface SparseSource extends Source {
  search(query: PipelineQuery, options: SourceSearchOptions): Promise<RankedList>;
}

/** Rows that late interaction found, and why. */
export interface MatchedList extends RankedList {
  /** Per place, for each vector of the query the item's vector that matched it best. */
  readonly matches: readonly VectorMatches[];
}

/** Options of a search by late interaction. */
export interface MultiVectorSourceOptions extends SourceSearchOptions {
  /** At least one row; only these are scored. All by default. */
  readonly candidates?: Uint32Array | undefined;
}

/** Items with several vectors each: patches, tokens. */
export interface MultiVectorSource extends Source {
  /** The query's vectors, n x d. */
  encode(query: PipelineQuery, options: SourceOptions): Promise<Matrix>;
  /** By MaxSim. */
  search(vectors: Matrix, options: MultiVectorSourceOptions): Promise<MatchedList>;
  /** The vectors of rows, in their order. */
  vectorsOf(rows: Uint32Array, options: SourceOptions): Promise<RaggedMatrix>;
}

/** A search that may miss some of the best. */
export interface ApproximateSource extends Source {
  search(query: PipelineQuery, options: SourceSearchOptions): Promise<RankedList>;
}

/** A text of each row, in their order; undefined for a row that has none. */
export type TextsOfRows = (
  rows: Uint32Array,
  options: SourceOptions,
) => Promise<readonly (string | undefined)[]>;

/** What a pipeline works on. Names are free; a stage may leave a source's name out where there is one of the kind. */
export interface PipelineSources {
  readonly dense?: Readonly<Record<string, DenseSource>>;
  readonly sparse?: Readonly<Record<string, SparseSource>>;
  readonly multiVector?: Readonly<Record<string, MultiVectorSource>>;
  readonly approximate?: Readonly<Record<string, ApproximateSource>>;
  /** By the groups' level (`document`, `entity`), then by that of the rows: the id of each row's group. */
  readonly groups?: Readonly<Record<string, Readonly<Record<string, TextsOfRows>>>>;
  /** By level: the id of each row. */
  readonly ids?: Readonly<Record<string, TextsOfRows>>;
}

/** The kinds of sources that stages name. */
export type SourceKind = 'dense' | 'sparse' | 'multiVector' | 'approximate';

const KINDS = ['dense', 'sparse', 'multiVector', 'approximate', 'groups', 'ids'] as const;

/**
 * The sources of several objects in one: passages and images of a corpus, say.
 *
 * A name that comes twice stands for the later source; groups of one level that are formed of several levels of rows are
 * joined.
 */
export function mergeSources(...all: readonly PipelineSources[]): PipelineSources {
  const merged = Object.fromEntries(KINDS.map((kind) => [kind, {} as Record<string, object>]));
  for (const sources of all) {
    for (const kind of KINDS) {
      for (const [name, source] of Object.entries(sources[kind] ?? {})) {
        const joined = merged[kind]!;
        joined[name] = kind === 'groups' ? { ...joined[name], ...source } : source;
      }
    }
  }
  return merged as PipelineSources;
}

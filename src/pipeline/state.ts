/**
 * What goes from stage to stage.
 *
 * @module
 */
import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import { GranuleError } from '../errors.js';
import type { VectorMatches } from '../index/multi-vector-hits.js';
import type { RankedList } from '../ranking/ranked-list.js';
import type { Matrix } from '../vectors/matrix.js';
import type { PipelineQuery, PipelineSources } from './sources.js';

/** What speaks for a row of a list. */
export interface Evidence {
  /** By the name of the source: which of the row's vectors matched the query's. Of a group those of its best row. */
  readonly matches?: Readonly<Record<string, VectorMatches>>;
  /** Of a group, by the level that it was formed of: its best row. */
  readonly best?: Readonly<Record<string, { readonly row: number; readonly id?: string }>>;
}

/** A ranked list on the stack. */
export interface StageList {
  readonly list: RankedList;
  /** What its rows are. */
  readonly level: string;
  /** The name of the source that it is from; undefined once lists were fused. */
  readonly source?: string | undefined;
}

/** Evidence by level and row. */
export type EvidenceByLevel = ReadonlyMap<string, ReadonlyMap<number, Evidence>>;

/** What the stages so far have found. */
export interface RetrievalState {
  /** The stack, the newest last. */
  readonly lists: readonly StageList[];
  /** The query's vectors by the name of the source, where a stage has moved them. */
  readonly vectors: {
    readonly dense: ReadonlyMap<string, Float32Array>;
    readonly multiVector: ReadonlyMap<string, Matrix>;
  };
  /** The ids of groups by level; a group's row is its place here, in the order in which they appeared. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly evidence: EvidenceByLevel;
}

/** What a stage leaves, and what it has to tell in the trace. */
export interface StageOutcome extends RetrievalState {
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What all stages of one retrieval share. */
export interface RetrievalContext {
  readonly query: PipelineQuery;
  readonly sources: PipelineSources;
  readonly filter: MetadataFilter | undefined;
  readonly signal: AbortSignal | undefined;
  /** The query as a dense source encodes it; a source is asked once. */
  denseVector(source: string): Promise<Float32Array>;
  /** The query as a source of several vectors encodes it; a source is asked once. */
  queryVectors(source: string): Promise<Matrix>;
}

/** Nothing found yet. */
export const EMPTY_STATE: RetrievalState = {
  lists: [],
  vectors: { dense: new Map(), multiVector: new Map() },
  groups: new Map(),
  evidence: new Map(),
};

/** A context without encoded vectors yet. */
export function retrievalContext(
  facts: Pick<RetrievalContext, 'query' | 'sources' | 'filter' | 'signal'>,
): RetrievalContext {
  const { query, sources, signal } = facts;
  return {
    ...facts,
    denseVector: once((name) => sources.dense![name]!.encode(query, { signal })),
    queryVectors: once((name) => sources.multiVector![name]!.encode(query, { signal })),
  };
}

/** The one list that a stage works on; when the pipeline was made it was made sure that there is no other. */
export function onlyList({ lists }: RetrievalState): StageList {
  if (lists.length === 1) return lists[0]!;
  throw new GranuleError('INTERNAL', `a stage for one list found ${lists.length}`);
}

/** The state with a list more on the stack. */
export function withList(state: RetrievalState, list: StageList): RetrievalState {
  return { ...state, lists: [...state.lists, list] };
}

/** The evidence with more for some rows of a level; matches of the same source are replaced. */
export function withEvidence(
  evidence: EvidenceByLevel,
  level: string,
  more: Iterable<readonly [number, Evidence]>,
): EvidenceByLevel {
  const rows = new Map(evidence.get(level));
  for (const [row, { matches, best }] of more) {
    const known = rows.get(row) ?? {};
    rows.set(row, {
      ...known,
      ...(matches && { matches: { ...known.matches, ...matches } }),
      ...(best && { best: { ...known.best, ...best } }),
    });
  }
  return new Map(evidence).set(level, rows);
}

function once<T>(encode: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (name) => {
    const promise = known.get(name) ?? encode(name);
    known.set(name, promise);
    return promise;
  };
}

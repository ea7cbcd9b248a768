import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import { GranuleError } from '../errors.js';
import { checkKeys, checkSignal } from '../index/arguments.js';
import { firstPlaces, type RankedList } from '../ranking/ranked-list.js';
import { checkK } from '../retrievers/check-k.js';
import { type ParsedPipeline, parsePipeline } from './parse-pipeline.js';
import type { PipelineQuery, PipelineSources } from './sources.js';
import type { PipelineStage } from './stages.js';
import {
  EMPTY_STATE,
  type Evidence,
  type RetrievalContext,
  type RetrievalState,
  retrievalContext,
} from './state.js';

/** Options of every retrieval by a pipeline. */
export interface PipelineRetrieveOptions {
  /** Most places of the result; all that the last stage leaves by default. */
  readonly k?: number | undefined;
  /** Only rows with such metadata, in every search. */
  readonly filter?: MetadataFilter | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one stage did. */
export interface StageTrace {
  /** Its name. */
  readonly stage: string;
  readonly milliseconds: number;
  /** The lists that it left, the newest last. */
  readonly lists: readonly {
    readonly level: string;
    readonly places: number;
    /** The source that the list is from, until lists are fused. */
    readonly source?: string;
  }[];
  /** What the stage has to tell besides: the rows that feedback was taken from, say. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a pipeline found for a query. */
export interface PipelineResult {
  readonly list: RankedList;
  /** What its rows are: the sources' level, or that of groups. */
  readonly level: string;
  /** The id of each place, where the sources know ids. */
  readonly ids?: readonly (string | undefined)[];
  /** What speaks for each place. */
  readonly evidence: readonly Evidence[];
  /** In the order of the pipeline. */
  readonly stages: readonly StageTrace[];
}

/** Stages that were checked, and the sources that they search. Make one with {@link pipeline}. */
export class RetrievalPipeline {
  /** The pipeline as data, with sources and defaults filled in: the same in every version of the defaults. */
  readonly stages: readonly PipelineStage[];
  /** What the rows of results are. */
  readonly level: string;
  readonly #parsed: ParsedPipeline;
  readonly #sources: PipelineSources;

  /** @internal */
  constructor(parsed: ParsedPipeline, sources: PipelineSources) {
    this.stages = parsed.stages.map(({ data }) => data);
    this.level = parsed.level;
    this.#parsed = parsed;
    this.#sources = sources;
  }

  /**
   * Runs the stages for one query.
   *
   * @throws GranuleError `K_OUT_OF_RANGE`, `INVALID_ARGUMENT` also for a query without what a source encodes, `METADATA_FILTER_INVALID`,
   * `ABORTED`; what sources and methods throw
   */
  async retrieve(query: PipelineQuery, options: PipelineRetrieveOptions = {}): Promise<PipelineResult> {
    checkKeys(options, ['k', 'filter', 'signal']);
    const { k, filter } = options;
    if (k !== undefined) checkK(k);
    const signal = checkSignal(options.signal);
    // A query of its own for each retrieval, by which sources can recognise it.
    const context = retrievalContext({ query: { ...query }, sources: this.#sources, filter, signal });
    const stages: StageTrace[] = [];
    let state = EMPTY_STATE;
    for (const { data, run } of this.#parsed.stages) {
      if (signal?.aborted) {
        throw new GranuleError('ABORTED', 'the retrieval was aborted', {}, { cause: signal.reason });
      }
      const start = performance.now();
      const { details, ...next } = await run(state, context);
      state = next;
      stages.push({
        stage: data.stage,
        milliseconds: performance.now() - start,
        lists: traceOfLists(state),
        ...(details && { details }),
      });
    }
    return { ...(await resultOf(state, k, context)), stages };
  }

  /**
   * Runs the stages for many queries, one after the other.
   *
   * @returns one result per query, in their order
   * @throws GranuleError as `retrieve`
   */
  async retrieveMany(
    queries: readonly PipelineQuery[],
    options: PipelineRetrieveOptions = {},
  ): Promise<PipelineResult[]> {
    const results: PipelineResult[] = [];
    for (const query of queries) results.push(await this.retrieve(query, options));
    return results;
  }
}

/**
 * Makes a retriever of stages, which are plain data: what the builders (`dense`, `fuse`, ...) return, or the same as JSON.
 *
 * Searches put ranked lists on a stack; the stages after them normalise, fuse, rerank and aggregate what is there. Exactly one list is
 * left at the end. All is checked here: names, options, sources, and that each stage finds as many lists, of such rows, as it works on.
 *
 * @param stages - in their order
 * @param parts - `sources`: what is searched
 * @throws GranuleError `PIPELINE_INVALID`, whose message begins with the place: `pipeline[2].m must be ...`
 *
 * @example
 * ```ts
 * const retriever = pipeline([dense(), sparse(), fuse({ method: 'rrf' })], { sources });
 * const { list, ids, stages } = await retriever.retrieve({ text: 'countries by the sea' }, { k: 10 });
 * ```
 */
export function pipeline(
  stages: readonly PipelineStage[],
  { sources }: { readonly sources: PipelineSources },
): RetrievalPipeline {
  return new RetrievalPipeline(parsePipeline(stages, sources), sources);
}

function traceOfLists({ lists }: RetrievalState): StageTrace['lists'] {
  return lists.map(({ list, level, source }) => ({
    level,
    places: list.rows.length,
    ...(source !== undefined && { source }),
  }));
}

async function resultOf(
  state: RetrievalState,
  k: number | undefined,
  { sources, signal }: RetrievalContext,
): Promise<Omit<PipelineResult, 'stages'>> {
  const { list: whole, level } = state.lists[0]!;
  const list = k === undefined ? whole : firstPlaces(whole, k);
  const found = Array.from(list.rows, (row) => state.evidence.get(level)?.get(row) ?? {});
  const idsOf = async (
    of: string,
    rows: Uint32Array,
  ): Promise<readonly (string | undefined)[] | undefined> => {
    const groups = state.groups.get(of);
    if (groups !== undefined) return Array.from(rows, (row) => groups[row]);
    return sources.ids?.[of]?.(rows, { signal });
  };
  const ids = await idsOf(level, list.rows);
  return { list, level, ...(ids && { ids }), evidence: await withIds(found, idsOf) };
}

/** The best rows of groups with their ids. */
async function withIds(
  evidence: readonly Evidence[],
  idsOf: (level: string, rows: Uint32Array) => Promise<readonly (string | undefined)[] | undefined>,
): Promise<readonly Evidence[]> {
  const levels = new Set(evidence.flatMap(({ best = {} }) => Object.keys(best)));
  let named = evidence;
  for (const level of levels) {
    const rows = named.map(({ best }) => best?.[level]?.row);
    const wanted = Uint32Array.from(rows.filter((row) => row !== undefined));
    const ids = await idsOf(level, wanted);
    if (ids === undefined) continue;
    const idOfRow = new Map(Array.from(wanted, (row, i) => [row, ids[i]]));
    named = named.map((one, place) => {
      const row = rows[place];
      const id = row === undefined ? undefined : idOfRow.get(row);
      return id === undefined ? one : { ...one, best: { ...one.best, [level]: { row: row!, id } } };
    });
  }
  return named;
}

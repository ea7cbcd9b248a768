import { copiedOver } from '../../threads/handed-over.js';
import type { WorkerThread } from '../../threads/worker-thread.js';
import type { ImageQuery, PatchEmbeddings, RefinedViews } from '../encoder.js';
import type { HeldQuery, RefineArgument, ViewsArgument } from './image-encoder-service.js';

/** Where a query stays: in one thread, by its number. */
interface Holder {
  readonly thread: WorkerThread;
  readonly query: number;
}

/** Frees the queries that were forgotten. */
const forgotten = new FinalizationRegistry<Holder>(release);

/** A query that `thread` holds. */
export function remoteQuery(
  thread: WorkerThread,
  { query, views, viewQuads, hasPatches, canRefine }: HeldQuery,
): ImageQuery {
  const handle = new QueryHandle({ thread, query });
  return {
    views,
    viewQuads,
    ...(hasPatches && {
      patchesOf: (chosen, { signal } = {}) =>
        handle.ask<PatchEmbeddings>('patchesOf', { views: chosen }, signal),
    }),
    ...(canRefine && {
      refine: (chosen, targets, { signal } = {}) =>
        handle.ask<RefinedViews>('refine', { views: chosen, targets }, signal),
    }),
    release: () => handle.release(),
  };
}

/** Every function of a query keeps this; the query is forgotten when all of them are. */
class QueryHandle {
  readonly #holder: Holder;

  constructor(holder: Holder) {
    this.#holder = holder;
    forgotten.register(this, holder, this);
  }

  /** Calls a method of the query in its thread. */
  async ask<T>(
    method: string,
    argument: Omit<ViewsArgument, 'query'> | Omit<RefineArgument, 'query'>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { thread, query } = this.#holder;
    const { value, transfer } = copiedOver({ query, ...argument });
    return (await thread.call(method, value, transfer, signal)) as T;
  }

  /** Frees what the thread holds, once. */
  release(): void {
    if (forgotten.unregister(this)) release(this.#holder);
  }
}

function release({ thread, query }: Holder): void {
  thread.call('release', query, [], undefined).catch(() => undefined);
}

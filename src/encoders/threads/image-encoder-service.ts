import { GranuleError } from '../../errors.js';
import type { ThreadService } from '../../threads/thread-messages.js';
import type { RaggedMatrix } from '../../vectors/matrix.js';
import type { ImageEncoder, ImageInput, ImageQuery, Quads } from '../encoder.js';
import { UseCount } from '../use-count.js';

/** What a thread says of its image encoder. */
export function imageIdentity({
  name,
  version,
  dimension,
  patchDimension,
}: ImageEncoder): ThreadService['identity'] {
  return { name, version, dimension, patchDimension };
}

/** A query that stays in its thread, by its number, and what can be asked of it. */
export interface HeldQuery {
  readonly query: number;
  readonly views: ImageQuery['views'];
  readonly viewQuads: Quads;
  readonly hasPatches: boolean;
  readonly canRefine: boolean;
}

/** Chosen views of a query. */
export interface ViewsArgument {
  readonly query: number;
  readonly views: readonly number[];
}

/** Views to fit to indexed images. */
export interface RefineArgument extends ViewsArgument {
  readonly targets: RaggedMatrix;
}

/** A query that is held, and who works with it. */
interface Held {
  readonly query: ImageQuery;
  readonly uses: UseCount;
}

/** Arrays of released queries that are kept, at most. */
const SPARE_ARRAYS = 8;

/**
 * Serves an image encoder in a thread.
 *
 * A query that stays may look at its views, so what is sent are copies. They are made in the arrays of queries that were released, which
 * nobody looks at any more: megabytes a query, which would wait here for the garbage collector otherwise.
 */
export function serve(encoder: ImageEncoder): ThreadService {
  const queries = new Map<number, Held>();
  const spare: Float32Array[] = [];
  let next = 0;
  const held = (number: number): Held => {
    const query = queries.get(number);
    if (query !== undefined) return query;
    throw new GranuleError('INVALID_ARGUMENT', 'the query was released');
  };
  const copy = (array: Float32Array): Float32Array => {
    const at = spare.findIndex(({ length }) => length === array.length);
    if (at === -1) return array.slice();
    const [found] = spare.splice(at, 1);
    found!.set(array);
    return found!;
  };
  const hold = (query: ImageQuery): number => {
    const uses = new UseCount(() => {
      spare.push(query.views.data, query.viewQuads);
      spare.splice(0, spare.length - SPARE_ARRAYS);
      query.release?.();
    });
    queries.set(next, { query, uses });
    return next++;
  };
  return {
    identity: imageIdentity(encoder),
    methods: {
      encodeImages: ({ images }: { images: readonly ImageInput[] }, signal) =>
        encoder.encodeImages(images, { signal }),
      encodeQuery: async ({ image }: { image: ImageInput }, signal): Promise<HeldQuery> => {
        const query = await encoder.encodeQuery(image, { signal });
        const hasPatches = query.patchesOf !== undefined;
        const canRefine = query.refine !== undefined;
        const { data, rows, columns } = query.views;
        const views = { data: copy(data), rows, columns };
        return { query: hold(query), views, viewQuads: copy(query.viewQuads), hasPatches, canRefine };
      },
      patchesOf: ({ query: number, views }: ViewsArgument, signal) => {
        const { query, uses } = held(number);
        return uses.during(() => query.patchesOf!(views, { signal }));
      },
      refine: ({ query: number, views, targets }: RefineArgument, signal) => {
        const { query, uses } = held(number);
        return uses.during(() => query.refine!(views, targets, { signal }));
      },
      release: (number: number) => {
        queries.get(number)?.uses.release();
        queries.delete(number);
      },
    },
  };
}

import { GranuleError } from '../../errors.js';
import type { ThreadService } from '../../threads/thread-messages.js';
import type { RaggedMatrix } from '../../vectors/matrix.js';
import type { ImageEncoder, ImageInput, ImageQuery, Quads } from '../encoder.js';

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

/** Serves an image encoder in a thread. */
export function serve(encoder: ImageEncoder): ThreadService {
  const queries = new Map<number, ImageQuery>();
  let next = 0;
  const held = (number: number): ImageQuery => {
    const query = queries.get(number);
    if (query !== undefined) return query;
    throw new GranuleError('INVALID_ARGUMENT', 'the query was released');
  };
  return {
    identity: imageIdentity(encoder),
    methods: {
      encodeImages: ({ images }: { images: readonly ImageInput[] }, signal) =>
        encoder.encodeImages(images, { signal }),
      encodeQuery: async ({ image }: { image: ImageInput }, signal): Promise<HeldQuery> => {
        const query = await encoder.encodeQuery(image, { signal });
        const number = next++;
        const hasPatches = query.patchesOf !== undefined;
        const canRefine = query.refine !== undefined;
        if (hasPatches || canRefine) queries.set(number, query);
        // Copied, for the query that stays may look at them.
        const { data, rows, columns } = query.views;
        const views = { data: data.slice(), rows, columns };
        return { query: number, views, viewQuads: query.viewQuads.slice(), hasPatches, canRefine };
      },
      patchesOf: ({ query, views }: ViewsArgument, signal) => held(query).patchesOf!(views, { signal }),
      refine: ({ query, views, targets }: RefineArgument, signal) =>
        held(query).refine!(views, targets, { signal }),
      release: (number: number) => {
        queries.get(number)?.release?.();
        queries.delete(number);
      },
    },
  };
}

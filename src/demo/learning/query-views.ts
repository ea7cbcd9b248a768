import type { ImageQuery } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { matrix, matrixRow } from '../../vectors/matrix.js';

/**
 * A query that is looked at through some of its views only. It is released with the query.
 *
 * @param kept - numbers of views, at least one
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function withViews(query: ImageQuery, kept: readonly number[]): ImageQuery {
  if (kept.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'a query needs at least one view');
  const { views, viewQuads, patchesOf, refine } = query;
  const vectors = new Float32Array(kept.length * views.columns);
  const quads = new Float32Array(kept.length * 8);
  for (const [i, view] of kept.entries()) {
    vectors.set(matrixRow(views, view), i * views.columns);
    quads.set(viewQuads.subarray(view * 8, view * 8 + 8), i * 8);
  }
  const original = (chosen: readonly number[]) => chosen.map((view) => kept[view]!);
  return {
    views: matrix(vectors, views.columns),
    viewQuads: quads,
    ...(patchesOf && { patchesOf: (chosen, options) => patchesOf.call(query, original(chosen), options) }),
    ...(refine && {
      refine: (chosen, targets, options) => refine.call(query, original(chosen), targets, options),
    }),
  };
}

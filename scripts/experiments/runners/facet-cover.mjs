import { coverFacets, facetQueries } from '../../../dist/esm/composition/index.js';
import { matrixRow } from '../../../dist/esm/vectors/matrix.js';
import { referenceSimilarity } from '../../../dist/esm/vectors/reference-similarity.js';

/** One passage for each facet of a query: the best of those that a search for the query and the facet finds. */
export function facetCover({ sources, ids, vectors, encoder }, { queryWeight, facetWeight, ...options }) {
  const { level, encode, search } = sources.dense.text;
  const k = options.candidates;
  return async ({ query }) => {
    const whole = await encode(query, {});
    const { vectors: facets } = await encoder.encodeQueries(query.facets);
    const composed = facetQueries(whole, facets, { queryWeight, facetWeight });
    const lists = [];
    for (let f = 0; f < composed.rows; f++) lists.push(await search(matrixRow(composed, f), { k }));
    const own = (facet, row) => referenceSimilarity(matrixRow(facets, facet), matrixRow(vectors, row));
    const { list } = coverFacets(lists, own, options);
    return { list, level, ids: Array.from(list.rows, (row) => ids[level][row]) };
  };
}

import { GranuleError } from '../errors.js';
import { checkFloat32, checkKeys, checkQueries, checkUint32, show } from '../index/arguments.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import { type Matrix, matrixRow, type RaggedMatrix } from '../vectors/matrix.js';
import { referenceSimilarity } from '../vectors/reference-similarity.js';

/** Options of `conditionScores`. */
export interface ConditionOptions {
  /** `sum`, the default, or `min`: an item is as good as its worst condition. */
  readonly aggregation?: 'sum' | 'min' | undefined;
}

/** Items by how they meet several conditions. */
export interface ConditionScores {
  /** Items by their scores; rows are their numbers. */
  readonly list: RankedList;
  /** Items x conditions: the greatest similarity of any of the item's facets with the condition. */
  readonly satisfaction: Matrix;
}

/**
 * How items with several facets (images and texts of a product) meet several conditions: satisfaction m(x, c) = max_f <c, x_f>, and
 * s(x) = sum_c m(x, c) or min_c m(x, c), in float64. Which condition is met and which is not stays visible. Similarities have
 * the bits of an index. O(conditions x facets x d).
 *
 * The setting is that of "MERIT: Multilingual Semantic Retrieval with Interleaved Multi-Condition Query" (2025); with the
 * sum the score is MaxSim.
 *
 * @param conditions - conditions x d, at least one
 * @param items - items of one or more facets each
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function conditionScores(
  conditions: Matrix,
  items: RaggedMatrix,
  options: ConditionOptions = {},
): ConditionScores {
  checkKeys(options, ['aggregation']);
  const { aggregation = 'sum' } = options;
  if (aggregation !== 'sum' && aggregation !== 'min') {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `aggregation must be 'sum' or 'min', got ${show(aggregation)}`,
    );
  }
  checkQueries(conditions, items.columns, 'conditions');
  const { data, columns } = items;
  const lengths = checkUint32(items.lengths, 'items.lengths');
  const facets = lengths.reduce((sum, length) => sum + length, 0);
  if (checkFloat32(data, 'items.data').length !== facets * columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the lengths add up to ${facets} facets, but there are ${data.length / columns}`,
    );
  }
  const satisfaction = new Float32Array(lengths.length * conditions.rows).fill(-Infinity);
  const scores = new Float64Array(lengths.length);
  let facet = 0;
  for (const [item, length] of lengths.entries()) {
    if (length === 0) throw new GranuleError('EMPTY_DOCUMENT', `item ${item} has no facets`, { row: item });
    const own = satisfaction.subarray(item * conditions.rows, (item + 1) * conditions.rows);
    for (const end = facet + length; facet < end; facet++) {
      const vector = data.subarray(facet * columns, (facet + 1) * columns);
      for (let c = 0; c < conditions.rows; c++) {
        const similarity = referenceSimilarity(matrixRow(conditions, c), vector);
        if (!Number.isFinite(similarity)) {
          throw new GranuleError(
            'NOT_FINITE',
            `facet ${facet} has similarity ${similarity} with condition ${c}`,
            {
              row: facet,
            },
          );
        }
        if (similarity > own[c]!) own[c] = similarity;
      }
    }
    scores[item] = aggregation === 'min' ? Math.min(...own) : own.reduce((sum, value) => sum + value, 0);
  }
  return {
    list: rankedList(Uint32Array.from(scores.keys()), scores),
    satisfaction: { data: satisfaction, rows: lengths.length, columns: conditions.rows },
  };
}

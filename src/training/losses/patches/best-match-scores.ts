import { checkChoice } from '../loss-arguments.js';
import { type PairScore, scoreOfPair, type TileScore, type VectorSet } from './vector-sets.js';

/** Which side looks for its best matches. */
export type MatchDirection = 'text-to-image' | 'image-to-text';

/**
 * MaxSim of a text and an image: sum over words i of max over patches j of <u_i, v_j>. The gradient is that of the patches that match
 * best, the first of equal ones: dscore/du_i = v_best(i), dscore/dv_j = sum of the u_i whose best it is. O(words x patches x columns).
 *
 * Source: "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function maxSimScore(words: VectorSet, patches: VectorSet): PairScore {
  return scoreOfPair(words, patches, (tile, columns) => bestOfRows(tile, columns, 1));
}

/**
 * One direction of FILIP's similarity:
 *
 *     text to image   mean over words i of max over patches j of <u_i, v_j>
 *     image to text   mean over patches j of max over words i of <u_i, v_j>
 *
 * The gradient is that of the best matches, the first of equal ones. O(words x patches x columns).
 *
 * Source: "FILIP: Fine-grained Interactive Language-Image Pre-Training" (2021).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function filipScore(words: VectorSet, patches: VectorSet, direction: MatchDirection): PairScore {
  checkChoice(direction, ['text-to-image', 'image-to-text'], 'direction');
  return scoreOfPair(words, patches, (tile, columns) => {
    const rows = tile.length / columns;
    if (direction === 'text-to-image') return bestOfRows(tile, columns, 1 / rows);
    const { score, gradient } = bestOfRows(transposed(tile, columns), rows, 1 / columns);
    return { score, gradient: transposed(gradient, rows) };
  });
}

/** weight x sum over rows of the greatest of the row. */
function bestOfRows(tile: Float64Array, columns: number, weight: number): TileScore {
  const gradient = new Float64Array(tile.length);
  let score = 0;
  for (let from = 0; from < tile.length; from += columns) {
    let best = from;
    for (let at = from + 1; at < from + columns; at++) if (tile[at]! > tile[best]!) best = at;
    score += weight * tile[best]!;
    gradient[best] = weight;
  }
  return { score, gradient };
}

function transposed(tile: Float64Array, columns: number): Float64Array {
  const rows = tile.length / columns;
  return tile.map((_, at) => tile[(at % rows) * columns + Math.floor(at / rows)]!);
}

import type { FlatIndex } from '../index/flat-index.js';
import type { Matrix } from '../vectors/matrix.js';

/** An indexed image with the view of a picture that is most like it. */
export interface BestView {
  readonly row: number;
  readonly view: number;
  /** Inner product of the two. */
  readonly score: number;
}

/**
 * The k rows with the highest score, where a row's score is its highest inner product with any view; exact.
 *
 * Asking each view for its k best rows is enough: a row that is above another in the view where that other one scores
 * highest is above it over all views too, so a row outside of every view's best k has k rows above it.
 *
 * @returns best first; of equal scores the lower row first, of equal views the first
 */
export async function bestViews(
  index: FlatIndex,
  views: Matrix,
  k: number,
  signal: AbortSignal | undefined,
): Promise<BestView[]> {
  const hits = await index.search(views, { k, signal });
  const scores = new Float32Array(index.rows).fill(-Infinity);
  const bestView = new Int32Array(index.rows).fill(-1);
  for (let place = 0; place < hits.rows.length; place++) {
    const row = hits.rows[place]!;
    if (hits.scores[place]! > scores[row]!) {
      scores[row] = hits.scores[place]!;
      bestView[row] = Math.floor(place / k);
    }
  }
  const found: BestView[] = [];
  for (const [row, view] of bestView.entries()) {
    if (view >= 0) {
      found.push({ row, view, score: scores[row]! });
    }
  }
  return found.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
}

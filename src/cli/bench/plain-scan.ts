/** The k best rows of each query: query i owns the places i * k to (i + 1) * k, best first. */
export interface PlainHits {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

/**
 * Inner product as `FlatIndex` defines it: float64 over eight lanes, lanes added pairwise; not yet rounded to float32.
 *
 * @param a - `dimension` values from `aStart`
 * @param b - `dimension` values from `bStart`
 */
export function plainDot(
  a: Float32Array,
  aStart: number,
  b: Float32Array,
  bStart: number,
  dimension: number,
): number {
  let l0 = 0;
  let l1 = 0;
  let l2 = 0;
  let l3 = 0;
  let l4 = 0;
  let l5 = 0;
  let l6 = 0;
  let l7 = 0;
  const whole = aStart + (dimension & ~7);
  let i = aStart;
  let j = bStart;
  for (; i < whole; i += 8, j += 8) {
    l0 += a[i]! * b[j]!;
    l1 += a[i + 1]! * b[j + 1]!;
    l2 += a[i + 2]! * b[j + 2]!;
    l3 += a[i + 3]! * b[j + 3]!;
    l4 += a[i + 4]! * b[j + 4]!;
    l5 += a[i + 5]! * b[j + 5]!;
    l6 += a[i + 6]! * b[j + 6]!;
    l7 += a[i + 7]! * b[j + 7]!;
  }
  const left = dimension & 7;
  if (left > 0) l0 += a[i]! * b[j]!;
  if (left > 1) l1 += a[i + 1]! * b[j + 1]!;
  if (left > 2) l2 += a[i + 2]! * b[j + 2]!;
  if (left > 3) l3 += a[i + 3]! * b[j + 3]!;
  if (left > 4) l4 += a[i + 4]! * b[j + 4]!;
  if (left > 5) l5 += a[i + 5]! * b[j + 5]!;
  if (left > 6) l6 += a[i + 6]! * b[j + 6]!;
  return l0 + l1 + (l2 + l3) + (l4 + l5 + (l6 + l7));
}

/**
 * Exact search as one writes it in JavaScript, on one thread: what the engine is compared with. Scores, rows and order
 * are those of `FlatIndex` with the metric `ip`.
 *
 * @param vectors - rows x dimension finite values
 * @param queries - n x dimension finite values
 * @param k - places per query, 1 to the number of rows
 */
export function plainScan(
  vectors: Float32Array,
  queries: Float32Array,
  dimension: number,
  k: number,
): PlainHits {
  const count = queries.length / dimension;
  const rows = new Uint32Array(count * k);
  const scores = new Float32Array(count * k);
  for (let query = 0; query < count; query++) {
    const first = query * k;
    let held = 0;
    for (let row = 0; row < vectors.length / dimension; row++) {
      const score = Math.fround(plainDot(queries, query * dimension, vectors, row * dimension, dimension));
      if (held === k && !(score > scores[first + k - 1]!)) continue;
      let place = first + (held < k ? held++ : k - 1);
      // Rows come in order, so that an equal score stays behind the ones before it.
      for (; place > first && scores[place - 1]! < score; place--) {
        scores[place] = scores[place - 1]!;
        rows[place] = rows[place - 1]!;
      }
      scores[place] = score;
      rows[place] = row;
    }
  }
  return { rows, scores };
}

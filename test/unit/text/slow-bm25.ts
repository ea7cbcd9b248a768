import { type Bm25Parameters, inverseDocumentFrequency } from '../../../src/text/bm25-weights.js';

/**
 * BM25 of a query with every row, straight from its definition; undefined where they share no term that counts.
 *
 * @param rows - the terms of each row
 * @param order - the terms in the order in which they are added
 */
export function slowBm25(
  rows: readonly (readonly string[])[],
  query: readonly string[],
  order: readonly string[],
  { k1, b, idf }: Bm25Parameters,
): (number | undefined)[] {
  const average = rows.reduce((sum, row) => sum + row.length, 0) / rows.length;
  return rows.map((row) => {
    let score: number | undefined;
    for (const term of order) {
      const tf = row.filter((word) => word === term).length;
      const qtf = query.filter((word) => word === term).length;
      const df = rows.filter((other) => other.includes(term)).length;
      if (tf === 0 || qtf === 0) continue;
      const weight = Math.fround(qtf * inverseDocumentFrequency(rows.length, df, idf));
      if (weight === 0) continue;
      score = (score ?? 0) + weight * (tf / (tf + k1 * (1 - b + (b * row.length) / average)));
    }
    return score;
  });
}

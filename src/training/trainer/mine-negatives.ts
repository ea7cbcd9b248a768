import type { DocumentIndex } from './document-index.js';
import { NONE } from './training-batch.js';
import type { JudgedQueries } from './training-data.js';

/**
 * Hard negatives: per query the documents that the retriever of the moment scores highest, without its positives.
 *
 * Source: Xiong et al., "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval", 2021; the search is exact here.
 *
 * @returns queries x perQuery rows; 0xffffffff where there are no more documents
 */
export async function mineNegatives(
  index: DocumentIndex,
  { vectors, positives }: JudgedQueries,
  perQuery: number,
  step: number,
): Promise<Uint32Array> {
  const mined = new Uint32Array(vectors.rows * perQuery).fill(NONE);
  if (perQuery === 0) return mined;
  const most = positives.reduce((greatest, { length }) => Math.max(greatest, length), 0);
  await index.search(vectors, perQuery + most, step, ({ rows, counts, k, queries }, first) => {
    for (let i = 0; i < queries; i++) {
      const right = new Set(Array.from(positives[first + i]!));
      const found = rows.subarray(i * k, i * k + counts[i]!).filter((row) => !right.has(row));
      mined.set(found.subarray(0, perQuery), (first + i) * perQuery);
    }
  });
  return mined;
}

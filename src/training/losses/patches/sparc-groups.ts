/** Weights of a word's patches, w_j = (s_j - least) / S over the patches kept, S their sum; 0 at the others. */
export interface PatchGroup {
  readonly weights: Float64Array;
  /** Where the least similarity is; -1 where all are equal, and weights do not depend on similarities. */
  readonly least: number;
  /** S. */
  readonly sum: number;
}

/**
 * SPARC's group of one word: its similarities are brought to [0, 1] by their least and greatest, those below 1 / patches become 0, and the
 * rest are divided by their sum. The range cancels, so that
 *
 *     w_j = (s_j - least) / S,    S = sum over kept patches of (s_j - least)
 *
 * Where all similarities are equal the group is all patches alike. O(patches).
 */
export function patchGroup(similarities: Float64Array): PatchGroup {
  const count = similarities.length;
  const greatest = similarities.reduce((a, b) => Math.max(a, b));
  const least = similarities.reduce((best, s, j) => (s < similarities[best]! ? j : best), 0);
  const range = greatest - similarities[least]!;
  if (range === 0) return { weights: new Float64Array(count).fill(1 / count), least: -1, sum: 0 };
  const above = similarities.map((s) => {
    const distance = s - similarities[least]!;
    return distance / range < 1 / count ? 0 : distance;
  });
  const sum = above.reduce((a, b) => a + b, 0);
  return { weights: above.map((distance) => distance / sum), least, sum };
}

/**
 * dL/ds of one word from h = dL/dw, with m the mean of h by weight: (h_j - m) / S at kept patches, and at the least similarity minus the sum
 * of those. Which patches are kept counts as constant: the weight of one that is dropped jumps from 1 / (patches S) to 0.
 */
export function groupGradient(group: PatchGroup, h: Float64Array): Float64Array {
  const gradient = new Float64Array(h.length);
  if (group.least === -1) return gradient;
  const mean = group.weights.reduce((sum, weight, j) => sum + weight * h[j]!, 0);
  let total = 0;
  for (const [j, weight] of group.weights.entries()) {
    if (weight === 0) continue;
    gradient[j] = (h[j]! - mean) / group.sum;
    total += gradient[j]!;
  }
  gradient[group.least]! -= total;
  return gradient;
}

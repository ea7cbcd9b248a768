import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';

/**
 * How evenly labels are spread over their categories: H / ln K with H = -sum_c p_c ln p_c, from 0 (all alike) to 1 (all
 * categories equally frequent). 0 for K = 1 and for no labels. O(labels).
 *
 * With K the labels that occur, a list of two labels, one each, scores as high as one of ten: give `categories` to compare lists.
 *
 * Source: "GRADE: Quantifying Sample Diversity in Text-to-Image Models" (2024), there for attributes of generated images.
 *
 * @param labels - one per place of a list
 * @param categories - K, at least as many as there are different labels; by default as many
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function normalisedEntropy(labels: readonly (string | number)[], categories?: number): number {
  const counts = new Map<string | number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const possible = categories ?? counts.size;
  if (!Number.isSafeInteger(possible) || possible < counts.size) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `categories must be a whole number of at least ${counts.size}, the labels that occur, got ${show(categories)}`,
    );
  }
  if (counts.size <= 1) return 0;
  let entropy = 0;
  for (const count of counts.values()) {
    const share = count / labels.length;
    entropy -= share * Math.log(share);
  }
  return Math.min(1, entropy / Math.log(possible));
}

import { referenceNorm } from '../../index/pooled-bounds.js';
import { type Matrix, matrixRow } from '../../vectors/matrix.js';

/** Vectors that were merged: their mean is the sum divided by their number, so a mean of means weighs them by size. */
export interface MergedToken {
  /** Rows, ascending. */
  readonly members: readonly number[];
  readonly sum: Float64Array;
}

/** One token of one vector. */
export function singleToken(vectors: Matrix, row: number): MergedToken {
  return { members: [row], sum: Float64Array.from(matrixRow(vectors, row)) };
}

/**
 * One round of bipartite soft matching: each token of the first set is linked with the token of the second whose direction
 * is most similar (cosine), the first of equal ones, and the most similar links merge, earlier tokens first of equal ones.
 * Several tokens may merge into one. O(|sources| |targets| d).
 *
 * @param merges - how many, at most |sources|; none without targets
 * @returns what is left of both sets, in the order of lowest members
 */
export function mergeMostSimilar(
  sources: readonly MergedToken[],
  targets: readonly MergedToken[],
  merges: number,
): MergedToken[] {
  const links = nearestTargets(sources, targets).slice(0, merges);
  const added = new Map<number, MergedToken[]>();
  const gone = new Set<number>();
  for (const { source, target } of links) {
    gone.add(source);
    added.set(target, [...(added.get(target) ?? []), sources[source]!]);
  }
  const left = sources.filter((_, source) => !gone.has(source));
  const merged = targets.map((token, target) => [token, ...(added.get(target) ?? [])].reduce(mergePair));
  return [...left, ...merged].sort((a, b) => a.members[0]! - b.members[0]!);
}

/** Per source its link; the most similar first. */
function nearestTargets(
  sources: readonly MergedToken[],
  targets: readonly MergedToken[],
): { source: number; target: number; similarity: number }[] {
  if (targets.length === 0) return [];
  const directions = targets.map(direction);
  return sources
    .map((token, source) => {
      const from = direction(token);
      let [target, similarity] = [0, Number.NEGATIVE_INFINITY];
      for (const [candidate, to] of directions.entries()) {
        let product = 0;
        for (let d = 0; d < from.length; d++) product += from[d]! * to[d]!;
        if (product > similarity) [target, similarity] = [candidate, product];
      }
      return { source, target, similarity };
    })
    .sort((a, b) => b.similarity - a.similarity || a.source - b.source);
}

/** A sum of zeros has none, and is as similar to every other as a right angle. */
function direction({ sum }: MergedToken): Float64Array {
  const norm = referenceNorm(sum);
  return norm > 0 ? sum.map((value) => value / norm) : sum;
}

function mergePair(a: MergedToken, b: MergedToken): MergedToken {
  return {
    members: [...a.members, ...b.members].sort((x, y) => x - y),
    sum: a.sum.map((value, d) => value + b.sum[d]!),
  };
}

/**
 * Rounds within one list, until `keep` tokens are left: every other token, from the first, is linked with one of those between
 * them, and at most half of all merge in a round.
 */
export function mergeAlternating(tokens: readonly MergedToken[], keep: number): MergedToken[] {
  let left = [...tokens];
  while (left.length > keep) {
    const sources = left.filter((_, place) => place % 2 === 0);
    const targets = left.filter((_, place) => place % 2 === 1);
    left = mergeMostSimilar(sources, targets, Math.min(left.length >> 1, left.length - keep));
  }
  return left;
}

/** Per row the lowest row of its token. */
export function leadersOf(tokens: readonly MergedToken[], rows: number): Uint32Array {
  const leaders = Uint32Array.from({ length: rows }, (_, row) => row);
  for (const { members } of tokens) for (const member of members) leaders[member] = members[0]!;
  return leaders;
}

import type { PooledVectors } from '../../../../src/index.js';
import { Seeded } from '../../../conformance/seeded.js';

/** The members of every pooled vector. */
export function groupsOf({ members: { offsets, rows } }: PooledVectors): number[][] {
  return Array.from({ length: offsets.length - 1 }, (_, p) => [...rows.subarray(offsets[p], offsets[p + 1])]);
}

/** Vectors of no particular order. */
export function vectorsOf(count: number, dimension: number, seed: number): Float32Array {
  return new Seeded(seed).normal(count * dimension);
}

/** Row after row as lists of numbers. */
export function listsOf(vectors: Float32Array, dimension: number): number[][] {
  return Array.from({ length: vectors.length / dimension }, (_, row) => [
    ...vectors.subarray(row * dimension, (row + 1) * dimension),
  ]);
}

const cosine = (a: number[], b: number[]) => {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, d) => sum + value * y[d]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/** A group of rows with its mean. */
export interface Group {
  rows: number[];
  mean: number[];
}

/** One round by the definition: the strongest link, again and again, from means that do not change meanwhile. */
export function slowRound(sources: Group[], targets: Group[], merges: number): Group[] {
  const links = sources
    .flatMap((source) => {
      const similarities = targets.map((target) => cosine(source.mean, target.mean));
      const best = Math.max(...similarities);
      return [{ source, target: targets[similarities.indexOf(best)]!, best }];
    })
    .sort((a, b) => b.best - a.best);
  let groups = [...sources, ...targets];
  for (const target of targets) {
    const joined = links.slice(0, merges).filter((link) => link.target === target);
    if (joined.length === 0) continue;
    const parts = [target, ...joined.map(({ source }) => source)];
    const size = parts.reduce((sum, { rows }) => sum + rows.length, 0);
    const mean = target.mean.map(
      (_, d) => parts.reduce((sum, part) => sum + part.mean[d]! * part.rows.length, 0) / size,
    );
    groups = groups.filter((group) => !parts.includes(group));
    groups.push({ rows: parts.flatMap(({ rows }) => rows).sort((a, b) => a - b), mean });
  }
  return groups.sort((a, b) => a.rows[0]! - b.rows[0]!);
}

/** Rounds within one list. */
export function slowMerge(groups: Group[], keep: number): Group[] {
  let left = groups;
  while (left.length > keep) {
    const merges = Math.min(Math.floor(left.length / 2), left.length - keep);
    left = slowRound(
      left.filter((_, i) => i % 2 === 0),
      left.filter((_, i) => i % 2 === 1),
      merges,
    );
  }
  return left;
}

import { describe, expect, it } from 'vitest';
import { mergeFrames, mergeTokens } from '../../../../src/granularity/index.js';
import { type Group, groupsOf, listsOf, slowMerge, slowRound, vectorsOf } from './pooled-documents.js';

const DIMENSION = 6;

/** Rows from `first` on, as groups of one. */
function singles(vectors: Float32Array, first: number, count: number): Group[] {
  return listsOf(vectors, DIMENSION)
    .slice(first, first + count)
    .map((mean, i) => ({ rows: [first + i], mean }));
}

describe('mergeTokens', () => {
  it('merges by the definition, round after round, weighing means by size', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const [a, b] = [1 + (seed % 13), 17];
      const vectors = vectorsOf(a + b, DIMENSION, seed);
      const pooled = mergeTokens(vectors, Uint32Array.of(a, b), {
        dimension: DIMENSION,
        factor: 1 + (seed % 5),
      });
      const keep = (count: number) => Math.ceil(count / (1 + (seed % 5)));
      const expected = [
        ...slowMerge(singles(vectors, 0, a), keep(a)),
        ...slowMerge(singles(vectors, a, b), keep(b)),
      ];
      expect(groupsOf(pooled)).toEqual(expected.map(({ rows }) => rows));
      expect([...pooled.lengths]).toEqual([keep(a), keep(b)]);
      for (const [p, mean] of listsOf(pooled.vectors.data, DIMENSION).entries()) {
        for (const [d, value] of mean.entries()) expect(value).toBeCloseTo(expected[p]!.mean[d]!, 5);
      }
    }
  });

  it('links even places with odd ones only: equal vectors that are both at even places stay apart in one round', () => {
    const vectors = Float32Array.of(1, 0, 0, 1, 1, 0, 0.6, 0.8);
    const pooled = mergeTokens(vectors, Uint32Array.of(4), { dimension: 2, count: 3 });
    expect(groupsOf(pooled)).toEqual([[0, 3], [1], [2]]);
    expect([...pooled.vectors.data.subarray(0, 2)]).toEqual([Math.fround(0.8), Math.fround(0.4)]);
  });

  it('several vectors merge into one, the earlier first of equal links', () => {
    const same = new Float32Array(10).fill(1);
    const one = mergeTokens(same, Uint32Array.of(5), { dimension: 2, count: 1 });
    expect(groupsOf(one)).toEqual([[0, 1, 2, 3, 4]]);
    expect([...one.vectors.data, ...one.radii]).toEqual([1, 1, 0]);
    const four = mergeTokens(same, Uint32Array.of(5), { dimension: 2, count: 4 });
    expect(groupsOf(four)).toEqual([[0, 1], [2], [3], [4]]);
  });

  it('compares directions, so that a long vector is no nearer, and leaves zeros to the last', () => {
    const vectors = Float32Array.of(1, 0, 50, 50, 0, 0, 0.99, 0.1);
    const pooled = mergeTokens(vectors, Uint32Array.of(4), { dimension: 2, count: 3 });
    expect(groupsOf(pooled)).toEqual([[0, 3], [1], [2]]);
  });

  it('keeps protected vectors, and everything where nothing is to be lost', () => {
    const vectors = vectorsOf(9, DIMENSION, 3);
    const pooled = mergeTokens(vectors, Uint32Array.of(8, 1), { dimension: DIMENSION, count: 4, protect: 2 });
    expect([...pooled.lengths]).toEqual([4, 1]);
    expect(groupsOf(pooled).slice(0, 2)).toEqual([[0], [1]]);
    for (const how of [{ factor: 1 }, { count: 8 }, { factor: 9, protect: 8 }]) {
      const all = mergeTokens(vectors, Uint32Array.of(8, 1), { dimension: DIMENSION, ...how });
      expect(all.vectors.data).toEqual(vectors);
    }
  });

  it.each([
    [{}],
    [{ factor: 2, count: 2 }],
    [{ factor: 0.5 }],
    [{ count: 2, protect: 2 }],
    [{ factor: 2, protect: -1 }],
  ])('refuses %j', (how) => {
    expect(() => mergeTokens(new Float32Array(4), Uint32Array.of(2), { dimension: 2, ...how })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('mergeFrames', () => {
  it('merges within frames, then across neighbouring clips, level after level', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const frames = [4, 3, 5, 2, 4];
      const vectors = vectorsOf(18, DIMENSION, seed);
      const [frameFactor, clipFactor, levels] = [1 + (seed % 2), 1 + (seed % 3), seed % 4];
      let first = 0;
      let clips = frames.map((count) => {
        const own = singles(vectors, first, count);
        first += count;
        return slowMerge(own, Math.ceil(count / frameFactor));
      });
      for (let level = 0; level < levels; level++) {
        const joined: Group[][] = [];
        for (let i = 0; i < clips.length; i += 2) {
          const [earlier, later = []] = [clips[i]!, clips[i + 1]];
          const both = earlier.length + later.length;
          const keep = later.length === 0 ? both : Math.ceil(both / clipFactor);
          joined.push(slowMerge(slowRound(later, earlier, Math.min(later.length, both - keep)), keep));
        }
        clips = joined;
      }
      const expected = clips.flat().sort((a, b) => a.rows[0]! - b.rows[0]!);
      const options = { dimension: DIMENSION, frameFactor, clipFactor, levels };
      const merged = mergeFrames(vectors, Uint32Array.from(frames), Uint32Array.of(5), options);
      expect(groupsOf(merged)).toEqual(expected.map(({ rows }) => rows));
      const frameOf = frames.flatMap((count, frame) => new Array<number>(count).fill(frame));
      expect([...merged.frameSpans]).toEqual(
        expected.flatMap(({ rows }) => {
          const own = rows.map((row) => frameOf[row]!);
          return [Math.min(...own), Math.max(...own)];
        }),
      );
    }
  });

  it('two frames of the same patches become one, and no two patches of a frame', () => {
    const frame = vectorsOf(5, DIMENSION, 9);
    const vectors = new Float32Array([...frame, ...frame]);
    const options = { dimension: DIMENSION, frameFactor: 1 };
    const merged = mergeFrames(vectors, Uint32Array.of(5, 5), Uint32Array.of(2), options);
    expect(groupsOf(merged)).toEqual([0, 1, 2, 3, 4].map((i) => [i, i + 5]));
    expect(merged.vectors.data).toEqual(frame);
    expect([...merged.frameSpans]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  });

  it('does not merge across videos, and counts frames anew in each', () => {
    const vectors = new Float32Array(4 * 2).fill(1);
    const merged = mergeFrames(vectors, Uint32Array.of(1, 1, 1, 1), Uint32Array.of(1, 3), {
      dimension: 2,
      levels: 2,
    });
    expect(groupsOf(merged)).toEqual([[0], [1, 2, 3]]);
    expect([...merged.lengths]).toEqual([1, 1]);
    expect([...merged.frameSpans]).toEqual([0, 0, 0, 2]);
  });

  it('keeps the protected vectors of every frame', () => {
    const vectors = vectorsOf(6, DIMENSION, 4);
    const options = { dimension: DIMENSION, protect: 1, levels: 1 };
    const merged = mergeFrames(vectors, Uint32Array.of(3, 3), Uint32Array.of(2), options);
    expect(groupsOf(merged)).toEqual([[0], [1, 2, 4, 5], [3]]);
  });

  it.each([
    ['LENGTH_MISMATCH', Uint32Array.of(1), {}],
    ['EMPTY_DOCUMENT', Uint32Array.of(2, 0), {}],
    ['INVALID_ARGUMENT', [2], {}],
    ['INVALID_ARGUMENT', Uint32Array.of(2), { levels: -1 }],
    ['INVALID_ARGUMENT', Uint32Array.of(2), { frameFactor: 0 }],
    ['INVALID_ARGUMENT', Uint32Array.of(2), { clipFactor: Number.NaN }],
    ['INVALID_ARGUMENT', Uint32Array.of(2), { protect: 0.5 }],
  ])('refuses with %s %j frames and %j', (code, framesPerVideo, wrong) => {
    const vectors = new Float32Array(4);
    const merge = () =>
      mergeFrames(vectors, Uint32Array.of(1, 1), framesPerVideo as never, { dimension: 2, ...wrong });
    expect(merge).toThrow(expect.objectContaining({ code }));
  });
});

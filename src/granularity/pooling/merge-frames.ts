import { GranuleError } from '../../errors.js';
import { checkKeys, checkUint32 } from '../../index/arguments.js';
import { checkKeep, checkProtect, type PooledVectors } from '../../index/pool-vectors.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkWhole } from '../option-checks.js';
import {
  leadersOf,
  type MergedToken,
  mergeAlternating,
  mergeMostSimilar,
  singleToken,
} from './bipartite-matching.js';
import { type DocumentVectorOptions, documentVectors, pooledByLeaders } from './document-vectors.js';

/** Options of `mergeFrames`. */
export interface FrameMergingOptions extends DocumentVectorOptions {
  /** Keep ceil(n / frameFactor) of a frame's n vectors, `protect` aside; at least 1, 2 by default. */
  readonly frameFactor?: number | undefined;
  /** Keep ceil(n / clipFactor) of the n vectors of two neighbouring clips; at least 1, 2 by default. */
  readonly clipFactor?: number | undefined;
  /** How often neighbouring clips become one: after l levels a clip has 2^l frames. 1 by default, 0 for none. */
  readonly levels?: number | undefined;
  /** So many first vectors of each frame (a class token, say) are kept as they are; 0 by default. */
  readonly protect?: number | undefined;
}

/** Videos with fewer vectors. */
export interface MergedFrames extends PooledVectors {
  /** Per pooled vector the first and the last frame of its members, numbers within the video: 2 values each. */
  readonly frameSpans: Uint32Array;
}

/**
 * Temporal token merging: the vectors of each frame are merged as by `mergeTokens`; then, level after level, clips (frames at first)
 * are joined with their right neighbours, two by two, where each vector of the later clip is linked with the most similar of the earlier
 * one, and the most similar links merge. Where that leaves more than are to be kept, rounds of `mergeTokens` over both follow.
 * The last clip of an odd number waits for the next level. O(n^2 d) per pair of clips of n vectors. TempMe: Video Temporal Token Merging for
 * Efficient Text-Video Retrieval (2024) merges within the layers of a model; this merges its results.
 *
 * @param vectors - rows x dimension finite values, video after video, frame after frame
 * @param frameLengths - vectors per frame, each at least 1, together all of `vectors`
 * @param framesPerVideo - each at least 1, together all of `frameLengths`
 * @returns as `poolVectors` with videos for documents, and the frames that each pooled vector spans
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function mergeFrames(
  vectors: Float32Array | Matrix,
  frameLengths: Uint32Array,
  framesPerVideo: Uint32Array,
  options: FrameMergingOptions,
): MergedFrames {
  checkKeys(options, ['dimension', 'metric', 'frameFactor', 'clipFactor', 'levels', 'protect']);
  const protect = checkProtect(options.protect);
  const keepOfFrame = checkKeep({ factor: options.frameFactor ?? 2 }, 0);
  const keepOfClip = checkKeep({ factor: options.clipFactor ?? 2 }, 0);
  const levels = checkWhole(options.levels ?? 1, 0, 'levels');
  const frames = documentVectors(vectors, frameLengths, options);
  checkFrames(framesPerVideo, frames.lengths.length);

  const videoLengths = new Uint32Array(framesPerVideo.length);
  const frameOf = new Uint32Array(frames.vectors.rows);
  const merged: MergedToken[] = [];
  let [frame, start] = [0, 0];
  for (const [video, count] of framesPerVideo.entries()) {
    let clips: MergedToken[][] = [];
    for (let number = 0; number < count; number++, frame++) {
      const length = frames.lengths[frame]!;
      const first = start + Math.min(length, protect);
      frameOf.fill(number, start, start + length);
      start += length;
      videoLengths[video]! += length;
      const tokens = Array.from({ length: start - first }, (_, i) => singleToken(frames.vectors, first + i));
      clips.push(mergeAlternating(tokens, keepOfFrame(tokens.length)));
    }
    for (let level = 0; level < levels && clips.length > 1; level++)
      clips = joinNeighbours(clips, keepOfClip);
    merged.push(...clips.flat());
  }
  const videos = { ...frames, lengths: videoLengths };
  const pooled = pooledByLeaders(videos, leadersOf(merged, start));
  return { ...pooled, frameSpans: spansOf(pooled, frameOf) };
}

function joinNeighbours(clips: MergedToken[][], keepOf: (vectors: number) => number): MergedToken[][] {
  const joined: MergedToken[][] = [];
  for (let i = 0; i < clips.length; i += 2) {
    const [earlier, later] = [clips[i]!, clips[i + 1]];
    if (!later) {
      joined.push(earlier);
      continue;
    }
    const both = earlier.length + later.length;
    const keep = keepOf(both);
    const across = mergeMostSimilar(later, earlier, Math.min(later.length, both - keep));
    joined.push(mergeAlternating(across, keep));
  }
  return joined;
}

function spansOf({ members }: PooledVectors, frameOf: Uint32Array): Uint32Array {
  const { offsets, rows } = members;
  const spans = new Uint32Array(2 * (offsets.length - 1));
  for (let p = 0; p + 1 < offsets.length; p++) {
    // Members ascend, and so do the frames of a video.
    spans[2 * p] = frameOf[rows[offsets[p]!]!]!;
    spans[2 * p + 1] = frameOf[rows[offsets[p + 1]! - 1]!]!;
  }
  return spans;
}

function checkFrames(framesPerVideo: Uint32Array, frames: number): void {
  checkUint32(framesPerVideo, 'framesPerVideo');
  const empty = framesPerVideo.indexOf(0);
  if (empty !== -1) throw new GranuleError('EMPTY_DOCUMENT', `video ${empty} has no frames`, { row: empty });
  const sum = framesPerVideo.reduce((a, b) => a + b, 0);
  if (sum !== frames) {
    throw new GranuleError('LENGTH_MISMATCH', `the videos have ${sum} frames, but there are ${frames}`, {
      sum,
      frames,
    });
  }
}

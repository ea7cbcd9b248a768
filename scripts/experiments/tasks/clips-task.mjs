import { mergeFrames, mergeTokens } from '../../../dist/esm/granularity/index.js';
import { MultiVectorIndex } from '../../../dist/esm/index/multi-vector-index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import { picturesTask } from './pictures-task.mjs';

/** So many fewer vectors. Of four frames: half of each, then half of two clips, twice. */
const FACTOR = 8;
const FRAME_MERGING = { frameFactor: 2, clipFactor: 2, levels: 2 };

/**
 * A flag's image against clips that show flags: each is four frames of a made picture, windows that lie one beside or within another, as if
 * a camera moved and zoomed. Relevant are the clips of the flag's country.
 *
 * - `multiVector.frames`: all patches of the four frames; `multiVector['one frame']`: those of the first
 * - `multiVector['merged frames']`: an eighth, merged within frames and then across; `multiVector['merged tokens']`: an eighth, merged
 *   without regard to frames
 */
export async function clipsTask() {
  const { entities, images, pictures, queries, validation, framesOf } = await picturesTask();
  const shown = [...pictures, ...validation.pictures];
  const clips = [...queries, ...validation.queries].map(({ query }) => framesOf(query));
  const { columns } = images.patches;
  const lengths = Uint32Array.from(clips, ({ data }) => data.length / columns);
  const data = joined(clips.map((clip) => clip.data));
  const frames = Uint32Array.from(clips, (clip) => clip.lengths.length);
  const first = clips.map((clip) => clip.data.subarray(0, clip.lengths[0] * columns));
  const ways = {
    frames: { data, lengths },
    'one frame': { data: joined(first), lengths: Uint32Array.from(clips, (clip) => clip.lengths[0]) },
    'merged frames': merged(
      mergeFrames(data, Uint32Array.from(clips.flatMap((clip) => [...clip.lengths])), frames, {
        ...FRAME_MERGING,
        dimension: columns,
      }),
    ),
    'merged tokens': merged(mergeTokens(data, lengths, { dimension: columns, factor: FACTOR })),
  };
  const multiVector = {};
  for (const [name, way] of Object.entries(ways)) multiVector[name] = await clipSource(way, columns);
  const ids = shown.map(({ id }) => id);
  const clipsOf = (id) => shown.filter(({ cca2 }) => cca2.toLowerCase() === id).map((clip) => [clip.id, 1]);
  const patchesOf = flagPatches(images.patches);
  const asked = entities
    .map(({ id }, row) => ({ id, query: { patches: patchesOf(row) } }))
    .filter(({ id }) => clipsOf(id).length > 0);
  return {
    measures: ['recip_rank', 'P_1', 'ndcg_cut_10'],
    sources: { multiVector, ids: { clip: async (rows) => Array.from(rows, (row) => ids[row]) } },
    ids: { clip: ids },
    queries: asked,
    qrels: { clip: new Map(asked.map(({ id }) => [id, new Map(clipsOf(id))])) },
  };
}

async function clipSource({ data, lengths }, columns) {
  const index = new MultiVectorIndex({ dimension: columns });
  await index.add(data, lengths);
  return {
    level: 'clip',
    encode: async ({ patches }) => patches,
    async search(query, { k, signal }) {
      const hits = await index.search(query, { k: Math.min(k, index.rows), explain: true, signal });
      const list = rankedLists(hits)[0];
      return { ...list, matches: Array.from(list.rows, (_, place) => hits.matches(0, place)) };
    },
    vectorsOf: (rows, { signal }) => index.read(rows, { signal }),
  };
}

function merged({ vectors, lengths }) {
  return { data: vectors.data, lengths };
}

function joined(arrays) {
  const data = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    data.set(array, at);
    at += array.length;
  }
  return data;
}

/** The patches of the image in a row, as a query. */
function flagPatches({ data, lengths, columns }) {
  const offsets = [0];
  for (const length of lengths) offsets.push(offsets.at(-1) + length);
  return (row) => ({
    data: data.slice(offsets[row] * columns, offsets[row + 1] * columns),
    rows: lengths[row],
    columns,
  });
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageEncoder, ImageInput } from '../../../src/encoders/encoder.js';
import {
  aggregate,
  dense,
  feedback,
  imageSources,
  lateInteraction,
  maxsim,
  pipeline,
} from '../../../src/pipeline/index.js';
import { rankedLists } from '../../../src/ranking/ranked-list.js';
import { MemoryImageStore } from '../../../src/retrievers/memory-image-store.js';
import { type Matrix, matrix, type RaggedMatrix } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';

const IMAGES = 12;
const random = new Seeded(41);
const VECTORS = matrix(random.normal(IMAGES * 5), 5);
const LENGTHS = Uint32Array.from({ length: IMAGES }, (_, row) => 1 + (row % 3));
const PATCHES = random.normal(LENGTHS.reduce((sum, length) => sum + length, 0) * 4);
const VIEWS = matrix(random.normal(2 * 5), 5);
const VIEW_PATCHES = random.normal(3 * 4);
/** Twelve images of five entities. */
const ENTITIES = Array.from({ length: 5 }, (_, i) => ({
  id: `e${i}`,
  title: `E${i}`,
  metadata: { even: i % 2 === 0 },
}));
const OWNERS = Array.from({ length: IMAGES }, (_, row) => row % 5);

/** Gives every picture the same two views, and notes what it was asked. */
class MadeImageEncoder implements ImageEncoder {
  readonly name = 'made';
  readonly version = '1';
  readonly dimension = 5;
  readonly patchDimension = 4;
  readonly asked: ImageInput[] = [];

  async encodeImages(): Promise<never> {
    throw new Error('not used');
  }

  async encodeQuery(image: ImageInput) {
    this.asked.push(image);
    if (image === 'damaged.png') throw new Error('damaged');
    return {
      views: VIEWS,
      viewQuads: new Float32Array(16),
      patchesOf: async (views: readonly number[]) => {
        expect(views).toEqual([0]);
        const patches: RaggedMatrix = { data: VIEW_PATCHES, lengths: Uint32Array.of(3), columns: 4 };
        return { patches, patchQuads: new Float32Array(24) };
      },
    };
  }
}

let store: MemoryImageStore;

beforeAll(async () => {
  store = await MemoryImageStore.build({
    entities: ENTITIES,
    owners: OWNERS,
    vectors: VECTORS,
    patches: { data: PATCHES, lengths: LENGTHS, columns: 4 },
    patchQuads: new Float32Array((PATCHES.length / 4) * 8),
  });
});

afterAll(() => store.dispose());

const firstView: Matrix = { data: VIEWS.data.slice(0, 5), rows: 1, columns: 5 };
const QUERY = { image: 'picture.png' };

describe('images', () => {
  it("are searched by the picture's first view and by its patches, and known by their ids", async () => {
    const sources = imageSources(store, { encoder: new MadeImageEncoder() });
    const byView = await pipeline([dense({ k: 7 })], { sources }).retrieve(QUERY);
    expect(byView.list).toEqual(rankedLists(await store.searchImages(firstView, { k: 7 }))[0]);
    expect(byView.ids).toEqual((await store.images([...byView.list.rows])).map(({ id }) => id));
    const hits = await store.searchPatches(VIEW_PATCHES, { k: 6, explain: true });
    const byPatches = await pipeline([lateInteraction({ k: 6 })], { sources }).retrieve(QUERY);
    expect(byPatches.list).toEqual(rankedLists(hits)[0]);
    expect(byPatches.evidence).toEqual(
      Array.from({ length: 6 }, (_, place) => ({ matches: { patches: hits.matches(0, place) } })),
    );
  });

  it('are reranked by their patches, as the index does it, and by the other scores', async () => {
    const sources = imageSources(store, { encoder: new MadeImageEncoder() });
    const candidates = (await pipeline([dense({ k: 5 })], { sources }).retrieve(QUERY)).list.rows;
    const hits = await store.searchPatches(VIEW_PATCHES, { k: 5, candidates });
    expect((await pipeline([dense({ k: 5 }), maxsim()], { sources }).retrieve(QUERY)).list).toEqual(
      rankedLists(hits)[0],
    );
    const mean = await pipeline([dense({ k: 5 }), maxsim({ score: 'mean-maxsim' })], { sources }).retrieve(
      QUERY,
    );
    expect(mean.list.rows).toEqual(rankedLists(hits)[0]!.rows);
    expect(mean.list.scores[0]).toBeCloseTo(hits.scores[0]! / 3, 5);
  });

  it('give their vectors, and belong to entities', async () => {
    const sources = imageSources(store, { encoder: new MadeImageEncoder() });
    const rows = Uint32Array.of(4, 0);
    const expected = [...VECTORS.data.slice(20, 25), ...VECTORS.data.slice(0, 5)];
    expect([...(await sources.dense!['image']!.vectorsOf(rows, {})).data]).toEqual(expected);
    const stages = [dense(), feedback({ method: 'rocchio', m: 2 }), aggregate({ by: 'entity' })];
    const { ids, evidence } = await pipeline(stages, { sources }).retrieve(QUERY);
    expect(ids!.toSorted()).toEqual(ENTITIES.map(({ id }) => id));
    for (const [place, { best }] of evidence.entries()) {
      expect(`e${OWNERS[best!['image']!.row]}`).toBe(ids![place]);
    }
  });

  it('are filtered', async () => {
    const sources = imageSources(store, { encoder: new MadeImageEncoder() });
    for (const stage of [dense(), lateInteraction()]) {
      const { list } = await pipeline([stage], { sources }).retrieve(QUERY, { filter: { even: true } });
      expect([...list.rows].every((row) => OWNERS[row]! % 2 === 0)).toBe(true);
      expect(list.rows).toHaveLength(OWNERS.filter((owner) => owner % 2 === 0).length);
    }
  });

  it('need a picture, which is encoded once in each retrieval', async () => {
    const encoder = new MadeImageEncoder();
    const sources = imageSources(store, { encoder });
    const retriever = pipeline([dense(), maxsim()], { sources });
    await retriever.retrieveMany([QUERY, QUERY]);
    expect(encoder.asked).toEqual(['picture.png', 'picture.png']);
    await expect(retriever.retrieve({ text: 'a picture' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'the pipeline searches for a picture, and the query has none',
    });
    await expect(retriever.retrieve({ image: 'damaged.png' })).rejects.toThrow('damaged');
  });

  it('have no patches to search where there are none', async () => {
    const plain = await MemoryImageStore.build({ entities: ENTITIES, owners: OWNERS, vectors: VECTORS });
    const sources = imageSources(plain, { encoder: new MadeImageEncoder() });
    expect(() => pipeline([lateInteraction()], { sources })).toThrowError(
      'pipeline[0].source is missing: there are no multiVector sources',
    );
    plain.dispose();
  });
});

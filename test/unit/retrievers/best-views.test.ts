import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bestViews } from '../../../src/retrievers/best-views.js';
import type { ImageStore } from '../../../src/retrievers/image-store.js';
import { MemoryImageStore } from '../../../src/retrievers/memory-image-store.js';
import { matrix } from '../../../src/vectors/matrix.js';

const vector = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 2 });
const image = fc.record({ vector, owner: fc.nat(5) });

interface Image {
  readonly vector: readonly number[];
  readonly owner: number;
}

const ENTITIES = Array.from({ length: 6 }, (_, i) => ({
  id: `e${i}`,
  title: '',
  metadata: { even: i % 2 === 0 },
}));

function store(images: readonly Image[]): Promise<MemoryImageStore> {
  return MemoryImageStore.build({
    entities: ENTITIES,
    owners: images.map(({ owner }) => owner),
    vectors: matrix(Float32Array.from(images.flatMap((one) => one.vector)), 2),
  });
}

/** The same store, with a count of its searches. */
function countSearches(built: MemoryImageStore) {
  let searches = 0;
  const counting: ImageStore = Object.assign(Object.create(built), {
    counts: built.counts,
    searchImages: (...args: Parameters<MemoryImageStore['searchImages']>) => {
      searches += 1;
      return built.searchImages(...args);
    },
    entitiesOfImages: (rows: readonly number[]) => built.entitiesOfImages(rows),
  });
  return { searches: () => searches, counting };
}

const product = (a: readonly number[], b: readonly number[]) => a[0]! * b[0]! + a[1]! * b[1]! + 0;

/** The best images up to the first one of the k-th entity, by a full comparison. */
function expected(images: readonly Image[], views: readonly (readonly number[])[], k: number, even: boolean) {
  const ranked = images
    .map((one, row) => ({
      row,
      owner: one.owner,
      score: Math.max(...views.map((view) => product(view, one.vector))),
    }))
    .filter(({ owner }) => !even || owner % 2 === 0)
    .sort((a, b) => b.score - a.score || a.row - b.row);
  const owners = new Set<number>();
  const end = ranked.findIndex(({ owner }) => owners.add(owner).size === k);
  return ranked.slice(0, end === -1 ? ranked.length : end + 1).map(({ row, score }) => ({ row, score }));
}

test.each([false, true])(
  'the best images of k entities are those of a full comparison, ties included (filtered: %s)',
  async (even) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(image, { minLength: 1, maxLength: 24 }),
        fc.array(vector, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 8 }),
        async (images, views, k) => {
          using built = await store(images);
          const asked = matrix(Float32Array.from(views.flat()), 2);
          const found = await bestViews(built, asked, { k, ...(even && { filter: { even: true } }) });
          expect(found.map(({ row, score }) => ({ row, score: score + 0 }))).toEqual(
            expected(images, views, k, even),
          );
          for (const { row, view, score, entity } of found) {
            const { owner, vector: own } = images[row]!;
            expect(entity).toBe(ENTITIES[owner]);
            expect(product(views[view]!, own)).toBe(score + 0);
            // Of equal views the first.
            expect(views.findIndex((other) => product(other, own) === score + 0)).toBe(view);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

test('the k best images are those of a full comparison, and the views are asked once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(image, { minLength: 1, maxLength: 24 }),
      fc.array(vector, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      async (images, views, k, even) => {
        using built = await store(images);
        const { searches, counting } = countSearches(built);
        const asked = matrix(Float32Array.from(views.flat()), 2);
        const filter = even ? { even: true } : undefined;
        const found = await bestViews(counting, asked, { k, of: 'images', filter });
        const all = expected(images, views, Number.POSITIVE_INFINITY, even);
        expect(found.map(({ row, score }) => ({ row, score: score + 0 }))).toEqual(all.slice(0, k));
        expect(found.map(({ entity }) => entity)).toEqual(
          found.map(({ row }) => ENTITIES[images[row]!.owner]),
        );
        expect(searches()).toBe(1);
      },
    ),
    { numRuns: 150 },
  );
});

test('where each entity has one image, the views are asked once', async () => {
  using built = await MemoryImageStore.build({
    entities: ENTITIES,
    vectors: matrix(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      2,
    ),
  });
  const { searches, counting } = countSearches(built);
  expect(await bestViews(counting, matrix(Float32Array.of(1, 0, 0, 1, 1, 1), 2), { k: 3 })).toHaveLength(3);
  expect(searches()).toBe(1);
});

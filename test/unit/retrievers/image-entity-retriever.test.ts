import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flagPath } from '../../../src/demo/countries/flag-images.js';
import { synthesisePicture } from '../../../src/demo/pictures/picture-synthesis.js';
import { DescriptorImageEncoder } from '../../../src/encoders/descriptor/descriptor-image-encoder.js';
import type { ImageEncoder, ImageQuery } from '../../../src/encoders/encoder.js';
import { ImageEntityRetriever } from '../../../src/retrievers/image-entity-retriever.js';
import { matrix } from '../../../src/vectors/matrix.js';

const COUNTRIES = [
  'FR',
  'IT',
  'MX',
  'AU',
  'NZ',
  'JP',
  'BR',
  'NP',
  'PL',
  'ID',
  'US',
  'LR',
  'DK',
  'NO',
  'CH',
  'LK',
];
const SHOWN = ['MX', 'AU', 'JP', 'BR', 'NP', 'US', 'NO', 'LK'];

const encoder = new DescriptorImageEncoder();
const entities = COUNTRIES.map((cca2) => ({ id: cca2, title: cca2 }));
let retriever: ImageEntityRetriever;
let source: Parameters<typeof ImageEntityRetriever.build>[1];

beforeAll(async () => {
  source = { entities, ...(await encoder.encodeImages(COUNTRIES.map(flagPath))) };
  retriever = await ImageEntityRetriever.build(encoder, source);
});

afterAll(() => retriever.dispose());

function picture(cca2: string, seed: string) {
  return synthesisePicture({ flagSvgPath: flagPath(cca2), seed, width: 400, height: 300 });
}

describe('flags in cluttered pictures', () => {
  test('are found, at their place, with the patches that matched', async () => {
    let placeError = 0;
    for (const cca2 of SHOWN) {
      const { jpeg, quad } = await picture(cca2, `find ${cca2}`);
      const [first] = await retriever.retrieve(jpeg, { k: 5 });
      expect(first!.item.id).toBe(cca2);
      placeError += quad.reduce((sum, value, i) => sum + Math.abs(value - first!.region![i]!), 0) / 8;
      expect(first!.matches!.length).toBe(64);
      const total = first!.matches!.reduce((sum, { similarity }) => sum + similarity, 0);
      expect(total).toBeCloseTo(first!.score, 2);
      for (const match of first!.matches!) {
        expect(match.query.length).toBe(8);
        expect(Math.min(...match.entity)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...match.entity)).toBeLessThanOrEqual(1);
      }
    }
    expect(placeError / SHOWN.length).toBeLessThan(0.03);
  });

  test('are found by views alone too, without matches', async () => {
    const views = retriever.with({ lateInteraction: false });
    let right = 0;
    for (const cca2 of SHOWN) {
      const { jpeg } = await picture(cca2, `views ${cca2}`);
      const [first] = await views.retrieve(jpeg, { k: 3 });
      expect(first!.matches).toBeUndefined();
      expect(first!.region!.length).toBe(8);
      if (first!.item.id === cca2) right++;
    }
    expect(right).toBeGreaterThanOrEqual(6);
  });

  test('the same picture gives the same hits, encoded before or not', async () => {
    const { jpeg } = await picture('AU', 'again');
    const hits = await retriever.retrieve(jpeg, { k: 4 });
    expect(await retriever.retrieve(jpeg, { k: 4 })).toEqual(hits);
    expect(await retriever.retrieveEncoded(await encoder.encodeQuery(jpeg), { k: 4 })).toEqual(hits);
  });
});

describe('hits', () => {
  test('are ranked, and their probabilities add up to 1', async () => {
    const { jpeg } = await picture('PL', 'ranked');
    for (const late of [true, false]) {
      const hits = await retriever.with({ lateInteraction: late }).retrieve(jpeg, { k: 6 });
      expect(hits.length).toBe(6);
      expect(new Set(hits.map(({ item }) => item.id)).size).toBe(6);
      expect(hits.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
      for (let i = 1; i < hits.length; i++) {
        expect(hits[i]!.score).toBeLessThanOrEqual(hits[i - 1]!.score);
        expect(hits[i]!.probability).toBeLessThanOrEqual(hits[i - 1]!.probability);
      }
    }
  });

  test('are all entities where more are asked for, those beyond the candidates without matches', async () => {
    const { jpeg } = await picture('CH', 'all');
    const hits = await retriever.with({ candidates: 4 }).retrieve(jpeg, { k: 100 });
    expect(hits.length).toBe(COUNTRIES.length);
    expect(hits.filter(({ matches }) => matches !== undefined).length).toBe(4);
    expect(hits[0]!.item.id).toBe('CH');
  });

  test('are none where there are no entities', async () => {
    const empty = await ImageEntityRetriever.build(encoder, {
      entities: [],
      vectors: matrix(new Float32Array(), encoder.dimension),
    });
    expect(await empty.retrieve(flagPath('FR'), { k: 3 })).toEqual([]);
    empty.dispose();
  });

  test('of identical images have equal scores, in the order of the entities', async () => {
    const pair = await ImageEntityRetriever.build(encoder, {
      entities: ['first', 'second', 'other'].map((id) => ({ id, title: id })),
      ...(await encoder.encodeImages([flagPath('FR'), flagPath('FR'), flagPath('JP')])),
    });
    const hits = await pair.retrieve((await picture('FR', 'twins')).jpeg, { k: 2 });
    expect(hits.map(({ item }) => item.id)).toEqual(['first', 'second']);
    expect(hits[0]!.score).toBe(hits[1]!.score);
    expect(hits[0]!.probability).toBeCloseTo(0.5, 6);
    pair.dispose();
  });
});

describe('stages', () => {
  test('report their times', async () => {
    const { jpeg } = await picture('JP', 'times');
    const timings: Record<string, number> = {};
    await retriever.retrieve(jpeg, { k: 2 }, timings);
    expect(Object.keys(timings).sort()).toEqual(['encode', 'entitySearch', 'maxsim', 'refine']);
    for (const time of Object.values(timings)) expect(time).toBeGreaterThan(0);
  });

  test('stop when told to', async () => {
    const { jpeg } = await picture('JP', 'stop');
    const controller = new AbortController();
    const hits = retriever.retrieve(jpeg, { k: 2, signal: controller.signal });
    controller.abort();
    await expect(hits).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('bad input', () => {
  test('of queries', async () => {
    for (const k of [0, -1, 1.5, Number.NaN]) {
      await expect(retriever.retrieve(flagPath('FR'), { k })).rejects.toMatchObject({
        code: 'K_OUT_OF_RANGE',
      });
    }
    await expect(retriever.retrieve('missing.png', { k: 1 })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
    await expect(retriever.retrieve(Buffer.from('no image'), { k: 1 })).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
    });
  });

  test('of options and vectors', async () => {
    expect(() => retriever.with({ candidates: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => retriever.with({ maxSimTemperature: 0 })).toThrow(
      expect.objectContaining({ code: 'TEMPERATURE_INVALID' }),
    );
    const { vectors } = source;
    await expect(
      ImageEntityRetriever.build(encoder, { entities, vectors }, { lateInteraction: true }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      ImageEntityRetriever.build(encoder, { entities: entities.slice(1), vectors }),
    ).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
    await expect(
      ImageEntityRetriever.build(encoder, { entities, vectors: matrix(new Float32Array(32), 2) }),
    ).rejects.toMatchObject({ code: 'DIMENSION_INVALID' });
  });
});

test('an encoder without refinement is served by the patches of its views', async () => {
  const plain: ImageEncoder = {
    name: 'plain',
    version: '1',
    dimension: 2,
    patchDimension: 2,
    encodeImages: () => Promise.reject(new Error('not needed')),
    encodeQuery: async (): Promise<ImageQuery> => ({
      views: matrix(Float32Array.of(0.6, 0.8, 1, 0), 2),
      viewQuads: Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0.5, 0, 0.5, 0.5, 0, 0.5),
      patchesOf: async (views) => ({
        patches: {
          data: Float32Array.from(views.flatMap((view) => (view === 0 ? [0, 1] : [1, 0]))),
          lengths: new Uint32Array(views.length).fill(1),
          columns: 2,
        },
        patchQuads: new Float32Array(views.length * 8),
      }),
    }),
  };
  const small = await ImageEntityRetriever.build(plain, {
    entities: [
      { id: 'a', title: 'a' },
      { id: 'b', title: 'b' },
    ],
    vectors: matrix(Float32Array.of(1, 0, 0, 1), 2),
    patches: { data: Float32Array.of(0.5, 0.5, 0.5, 3), lengths: Uint32Array.of(1, 1), columns: 2 },
    patchQuads: new Float32Array(16),
  });
  const hits = await small.retrieve('any', { k: 2 });
  expect(hits.map(({ item, score }) => [item.id, score])).toEqual([
    ['b', 3],
    ['a', 0.5],
  ]);
  small.dispose();
});

describe('entities of several images', () => {
  const several = async () => {
    const codes = ['FR', 'IT', 'JP', 'BR', 'MX'];
    const encoded = await encoder.encodeImages(codes.map(flagPath));
    const owned = ['latin', 'latin', 'asia', 'latin', 'north'];
    const ids = [...new Set(owned)];
    return ImageEntityRetriever.build(encoder, {
      entities: ids.map((id) => ({ id, title: id, metadata: { size: id.length } })),
      owners: owned.map((id) => ids.indexOf(id)),
      ...encoded,
    });
  };

  test.each([true, false])(
    'are found by their best image (late interaction: %s)',
    async (lateInteraction) => {
      const built = await several();
      const lone = retriever.with({ lateInteraction });
      for (const [code, entity, image] of [
        ['BR', 'latin', 'latin#3'],
        ['MX', 'north', 'north'],
        ['JP', 'asia', 'asia'],
      ] as const) {
        const { jpeg } = await picture(code, `several ${code}`);
        const hits = await built.with({ lateInteraction }).retrieve(jpeg, { k: 5 });
        expect(hits.map(({ item }) => item.id).sort()).toEqual(['asia', 'latin', 'north']);
        expect(hits[0]).toMatchObject({ item: { id: entity }, image });
        if (!lateInteraction) {
          const [same] = (await lone.retrieve(jpeg, { k: 16 })).filter(({ item }) => item.id === code);
          expect(hits[0]!.score).toBe(same!.score);
        }
      }
      built.dispose();
    },
  );

  test('of which few are looked at closely, the others come without matches, and each once', async () => {
    const built = (await several()).with({ candidates: 1 });
    const hits = await built.retrieve((await picture('BR', 'few')).jpeg, { k: 3 });
    expect(hits.map(({ item }) => item.id).sort()).toEqual(['asia', 'latin', 'north']);
    expect(hits.filter(({ matches }) => matches !== undefined)).toHaveLength(1);
    built.dispose();
  });

  test('are left out by a filter', async () => {
    const built = await several();
    const { jpeg } = await picture('BR', 'filter');
    const hits = await built.retrieve(jpeg, { k: 3, filter: { size: { lt: 5 } } });
    expect(hits.map(({ item }) => item.id)).toEqual(['asia']);
    expect(await built.retrieve(jpeg, { k: 3, filter: { size: { lt: 0 } } })).toEqual([]);
    built.dispose();
  });

  test('keep the score of the image that was looked at, whatever their others would have', async () => {
    const plain: ImageEncoder = {
      name: 'plain',
      version: '1',
      dimension: 1,
      patchDimension: 1,
      encodeImages: () => Promise.reject(new Error('not needed')),
      encodeQuery: async () => ({
        views: matrix(Float32Array.of(1), 1),
        viewQuads: new Float32Array(8),
        patchesOf: async () => ({
          patches: { data: Float32Array.of(1), lengths: Uint32Array.of(1), columns: 1 },
          patchQuads: new Float32Array(8),
        }),
      }),
    };
    const built = await ImageEntityRetriever.build(
      plain,
      {
        entities: ['a', 'b'].map((id) => ({ id, title: id })),
        owners: [0, 1, 0],
        vectors: matrix(Float32Array.of(3, 2, 1), 1),
        patches: { data: Float32Array.of(0.5, 2, 3), lengths: Uint32Array.of(1, 1, 1), columns: 1 },
        patchQuads: new Float32Array(24),
      },
      { candidates: 1 },
    );
    const hits = await built.retrieve('any', { k: 3 });
    expect(hits.map(({ item, score, image, matches }) => [item.id, score, image, matches?.length])).toEqual([
      ['b', 2, 'b', undefined],
      ['a', 0.5, 'a', 1],
    ]);
    built.dispose();
  });

  test.each([true, false])(
    'lead down to their images, each ranked by itself (late interaction: %s)',
    async (lateInteraction) => {
      const built = (await several()).with({ lateInteraction });
      const { jpeg } = await picture('BR', 'images');
      const timings = {};
      const hits = await built.retrieveImages(jpeg, { k: 9 }, timings);
      expect(hits.map(({ item }) => item.id).sort()).toEqual([
        'asia',
        'latin',
        'latin#2',
        'latin#3',
        'north',
      ]);
      expect(hits[0]!.item).toMatchObject({ id: 'latin#3', entity: { id: 'latin' } });
      expect(hits.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
      for (const [i, { score, region, matches }] of hits.entries()) {
        expect(score).toBeLessThanOrEqual(hits[Math.max(0, i - 1)]!.score);
        expect(region).toHaveLength(8);
        const total = matches?.reduce((sum, { similarity }) => sum + similarity, 0);
        if (lateInteraction) expect(total).toBeCloseTo(score, 2);
        else expect(total).toBeUndefined();
      }
      expect(Object.keys(timings).length).toBe(lateInteraction ? 4 : 2);

      // An entity's hit is that of its first image.
      const entityHits = await built.retrieve(jpeg, { k: 9 });
      const firsts = hits.filter(
        (hit, i) => hits.findIndex(({ item }) => item.entity === hit.item.entity) === i,
      );
      expect(entityHits.map(({ probability, ...hit }) => hit)).toEqual(
        firsts.map(({ item, probability, ...hit }) => ({ ...hit, item: item.entity, image: item.id })),
      );

      const two = await built.retrieveImages(jpeg, { k: 2 });
      expect(two.map(({ item, score }) => [item, score])).toEqual(
        hits.slice(0, 2).map(({ item, score }) => [item, score]),
      );
      const filtered = await built.retrieveImages(jpeg, { k: 9, filter: { size: { gte: 5 } } });
      expect(filtered.map(({ item }) => item.id)).toEqual(
        hits.map(({ item }) => item.id).filter((id) => id !== 'asia'),
      );
      await expect(built.retrieveImages(jpeg, { k: 0 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
      built.dispose();
    },
  );

  test('of which few are looked at closely give their other images too, without matches', async () => {
    const built = (await several()).with({ candidates: 2 });
    const hits = await built.retrieveImages((await picture('BR', 'images')).jpeg, { k: 9 });
    expect(new Set(hits.map(({ item }) => item.id)).size).toBe(5);
    expect(hits.filter(({ matches }) => matches !== undefined)).toHaveLength(2);
    built.dispose();
  });

  test('that own images of nobody are refused', async () => {
    const source = { entities: [{ id: 'a', title: 'a' }], vectors: matrix(new Float32Array(192), 192) };
    await expect(ImageEntityRetriever.build(encoder, { ...source, owners: [1] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(ImageEntityRetriever.build(encoder, { ...source, owners: [0, 0] })).rejects.toMatchObject({
      code: 'LENGTH_MISMATCH',
    });
  });
});

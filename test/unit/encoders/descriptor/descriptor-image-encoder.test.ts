import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { flagPath } from '../../../../src/demo/countries/flag-images.js';
import { FLAG_WINDOW_WIDTHS } from '../../../../src/demo/pictures/flag-windows.js';
import { synthesisePicture } from '../../../../src/demo/pictures/picture-synthesis.js';
import { synthesiseSeveralFlags } from '../../../../src/demo/pictures/several-flags.js';
import { DescriptorImageEncoder } from '../../../../src/encoders/descriptor/descriptor-image-encoder.js';
import { frameCount } from '../../../../src/encoders/descriptor/view-frame.js';
import { viewWindows } from '../../../../src/encoders/descriptor/view-windows.js';
import type { ImageQuery } from '../../../../src/encoders/encoder.js';
import { imageEncoderInThreads } from '../../../../src/encoders/threads/threaded-image-encoder.js';
import { matrixRow } from '../../../../src/vectors/matrix.js';
import { expectSameBits } from '../threads/expect-same-bits.js';

const encoder = new DescriptorImageEncoder();

function norm(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

describe('indexed images', () => {
  test('have a unit vector, 64 patches and their quads each', async () => {
    const { vectors, patches, patchQuads } = await encoder.encodeImages([flagPath('FR'), flagPath('BR')]);
    expect([vectors.rows, vectors.columns]).toEqual([2, encoder.dimension]);
    expect(norm(matrixRow(vectors, 1))).toBeCloseTo(1, 5);
    expect([...patches!.lengths]).toEqual([64, 64]);
    expect(patches!.columns).toBe(encoder.patchDimension);
    expect(patches!.data.length).toBe(128 * encoder.patchDimension);
    expect(Array.from(patchQuads!.slice(8, 16))).toEqual([0.125, 0, 0.25, 0, 0.25, 0.125, 0.125, 0.125]);
    expect(patchQuads!.length).toBe(128 * 8);
  });

  test('are encoded alike alone and in a batch, and again', async () => {
    const together = await encoder.encodeImages([flagPath('FR'), flagPath('BR')]);
    const alone = await new DescriptorImageEncoder().encodeImages([flagPath('BR')]);
    expect(matrixRow(together.vectors, 1)).toEqual(matrixRow(alone.vectors, 0));
    expect(together.patches!.data.slice(64 * encoder.patchDimension)).toEqual(alone.patches!.data);
  });

  test('give finite vectors whatever they are', async () => {
    const images = ['#000000', '#ffffff', '#ff0000'].map((background) =>
      sharp({ create: { width: 1, height: 1, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    const { vectors, patches } = await encoder.encodeImages(await Promise.all(images));
    expect(vectors.data.every(Number.isFinite)).toBe(true);
    expect(patches!.data.every(Number.isFinite)).toBe(true);
  });
});

describe('queries', () => {
  test('keep their memory until they are released and nothing works with it', async () => {
    const { patches } = await encoder.encodeImages([flagPath('FR')]);
    const query = await encoder.encodeQuery(flagPath('BR'));
    const refine = async ({ refine }: ImageQuery) => (await refine!([1], patches!)).patches.data;
    const expected = await refine(query);
    const disturbed = refine(query);
    query.release!();
    const [, again] = await Promise.all(['JP', 'BR'].map((code) => encoder.encodeQuery(flagPath(code))));
    expect(await disturbed).toEqual(expected);
    expect(await refine(again!)).toEqual(expected);
    expect(matrixRow(again!.views, 9)).toEqual(matrixRow(query.views, 9));
    await expect(refine(query)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(query.patchesOf!([0])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    query.release!();
  });

  test('have the whole picture as their first view, like the image that was indexed', async () => {
    const { vectors, patches } = await encoder.encodeImages([flagPath('LK')]);
    const query = await encoder.encodeQuery(flagPath('LK'));
    expect(matrixRow(query.views, 0)).toEqual(vectors.data);
    expect(Array.from(query.viewQuads.slice(0, 8))).toEqual([0, 0, 1, 0, 1, 1, 0, 1]);
    const view = await query.patchesOf!([0]);
    expect([...view.patches.lengths]).toEqual([64]);
    expect(view.patches.columns).toBe(patches!.columns);
  });

  test.each([
    [1, 1],
    [600, 10],
    [10, 600],
    [37, 53],
  ])('of %i x %i pixels work', async (width, height) => {
    const image = await sharp({ create: { width, height, channels: 3, background: '#336699' } })
      .png()
      .toBuffer();
    const query = await encoder.encodeQuery(image);
    expect(query.views.data.every(Number.isFinite)).toBe(true);
    expect(query.viewQuads.length).toBe(query.views.rows * 8);
    expect(query.views.rows).toBeLessThanOrEqual(6000);
  });

  test('a refined view lies on the object, and its patches match the object’s', async () => {
    const { jpeg, quad } = await synthesisePicture({
      flagSvgPath: flagPath('BR'),
      seed: 'refine',
      width: 400,
      height: 300,
    });
    const { vectors, patches } = await encoder.encodeImages([flagPath('BR')]);
    const query = await encoder.encodeQuery(jpeg);
    let best = 0;
    let highest = -Infinity;
    for (let view = 0; view < query.views.rows; view++) {
      const score = matrixRow(query.views, view).reduce((sum, value, i) => sum + value * vectors.data[i]!, 0);
      if (score > highest) [best, highest] = [view, score];
    }
    const placeError = (quads: Float32Array) =>
      quad.reduce((sum, value, i) => sum + Math.abs(value - quads[i]!), 0) / 8;
    const before = placeError(query.viewQuads.slice(best * 8, best * 8 + 8));
    const refined = await query.refine!([best], patches!);
    expect(placeError(refined.viewQuads)).toBeLessThan(0.012);
    expect(placeError(refined.viewQuads)).toBeLessThan(before);
    expect(refined.patchQuads.length).toBe(64 * 8);
  });

  test('refuse targets that do not fit', async () => {
    const query = await encoder.encodeQuery(flagPath('FR'));
    const { patches } = await encoder.encodeImages([flagPath('FR')]);
    await expect(query.refine!([0, 1], patches!)).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
    const narrow = { data: new Float32Array(64 * 2), lengths: Uint32Array.of(64), columns: 2 };
    await expect(query.refine!([0], narrow)).rejects.toMatchObject({ code: 'DIMENSION_INVALID' });
  });
});

describe('widths of windows', () => {
  const several = (flags: readonly string[]) =>
    synthesiseSeveralFlags({
      flags: flags.map((cca2) => ({ cca2, svgPath: flagPath(cca2) })),
      seed: 'widths',
      width: 320,
      height: 240,
    });

  /** Per indexed image, the highest cosine of a view. */
  const nearest = async (looking: DescriptorImageEncoder, picture: Uint8Array, flags: readonly string[]) => {
    const { vectors } = await looking.encodeImages(flags.map(flagPath));
    const { views } = await looking.encodeQuery(picture);
    return flags.map((_, flag) => {
      let best = -1;
      for (let view = 0; view < views.rows; view++) {
        const at = view * views.columns;
        let cosine = 0;
        for (let i = 0; i < views.columns; i++) {
          cosine += views.data[at + i]! * vectors.data[flag * views.columns + i]!;
        }
        best = Math.max(best, cosine);
      }
      return best;
    });
  };

  test('smaller ones find flags that the default’s cannot', async () => {
    const flags = ['BR', 'JP', 'ZA', 'SE'];
    const { jpeg } = await several(flags);
    const small = await nearest(new DescriptorImageEncoder({ widths: FLAG_WINDOW_WIDTHS }), jpeg, flags);
    expect(Math.min(...small)).toBeGreaterThan(0.9);
    expect(Math.max(...(await nearest(encoder, jpeg, flags)))).toBeLessThan(0.9);
  });

  test('change nothing about indexed images', async () => {
    const other = new DescriptorImageEncoder({ widths: [0.3] });
    expectSameBits(await other.encodeImages([flagPath('FR')]), await encoder.encodeImages([flagPath('FR')]));
  });

  test('are those of the default where none are given, and a copy where some are', async () => {
    const widths = [0.45, 0.53, 0.62, 0.72, 0.83];
    const named = new DescriptorImageEncoder({ widths });
    widths[0] = 0.1;
    const [one, other] = await Promise.all([named, encoder].map((each) => each.encodeQuery(flagPath('FR'))));
    expectSameBits(one!.views, other!.views);
    expect(named.spec).toEqual(encoder.spec);
  });

  test('go with the encoder into another thread', async () => {
    const here = new DescriptorImageEncoder({ widths: [0.3, 0.7] });
    await using there = imageEncoderInThreads(here, { threads: 1 });
    const [inThread, alone] = await Promise.all(
      [there, here].map((each) => each.encodeQuery(flagPath('FR'))),
    );
    expectSameBits(inThread!.views, alone!.views);
    expect(alone!.views.rows).toBe(frameCount(viewWindows(320, 240, [0.3, 0.7])));
  });

  test.each([
    ['none', []],
    ['one that is too small', [0.5, 0.04]],
    ['one beyond the picture', [0.5, 1.01]],
    ['one that is no number', [Number.NaN]],
    ['a text', ['0.5']],
    ['a number alone', 0.5],
    ['too many', new Array(33).fill(0.5)],
  ])('%s: refused', (_, widths) => {
    expect(() => new DescriptorImageEncoder({ widths: widths as number[] })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

test('encoding stops when told to', async () => {
  const signal = AbortSignal.abort();
  await expect(encoder.encodeImages([flagPath('FR')], { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(encoder.encodeQuery(flagPath('FR'), { signal })).rejects.toMatchObject({ code: 'ABORTED' });
});

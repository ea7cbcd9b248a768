import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImageEmbeddings, ImageInput } from '../../../../src/encoders/encoder.js';
import {
  OnnxImageEncoder,
  type OnnxImageEncoderOptions,
} from '../../../../src/encoders/onnx/onnx-image-encoder.js';

/* A real image encoder on real photographs; both lie in ../shared/data, which a clone of the repository has not. */
const data = resolve('../shared/data');
const model = join(data, 'mobilenet-v1');
const folder = join(data, 'coco-by', 'images');
const absent = !existsSync(model) || !existsSync(folder);
const photographs = absent
  ? []
  : readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
const PATCHES = 49;
const COLUMNS = 1024;

/** (byte - 128) / 128, which is exact in float32. */
const OPTIONS: OnnxImageEncoderOptions = {
  normalize: false,
  threads: 1,
  preprocessing: { rescale: 1 / 128, mean: [1, 1, 1], std: [1, 1, 1] },
};

const row = (array: Float32Array, index: number, columns = COLUMNS) =>
  array.subarray(index * columns, (index + 1) * columns);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Largest difference of two arrays as a share of the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest;
}

/** The arrays of an uncompressed .npz, in order: little-endian float32 or float64. */
function readNpz(file: string): (Float32Array | Float64Array)[] {
  const bytes = readFileSync(file);
  const arrays: (Float32Array | Float64Array)[] = [];
  for (
    let at = bytes.indexOf('\x93NUMPY', 0, 'latin1');
    at >= 0;
    at = bytes.indexOf('\x93NUMPY', at + 6, 'latin1')
  ) {
    const start = at + 10 + bytes.readUInt16LE(at + 8);
    const header = bytes.toString('latin1', at + 10, start);
    const count = /'shape': \(([\d, ]+)\)/
      .exec(header)![1]!
      .split(',')
      .reduce((size, dim) => size * (Number(dim) || 1), 1);
    const values = header.includes("'<f8'") ? new Float64Array(count) : new Float32Array(count);
    bytes.copy(new Uint8Array(values.buffer), 0, start);
    arrays.push(values);
  }
  return arrays;
}

describe.skipIf(absent)(
  `OnnxImageEncoder with MobileNet on photographs${absent ? ' (skipped: ../shared/data is absent)' : ''}`,
  () => {
    let encoder: OnnxImageEncoder;
    let all: ImageEmbeddings;

    beforeAll(async () => {
      encoder = await OnnxImageEncoder.open(model, OPTIONS);
      all = await encoder.encodeImages(photographs);
    }, 60_000);
    afterAll(() => encoder?.close());

    test('gives a vector of 1024 and 7 x 7 patches of 1024 for every photograph', () => {
      expect(encoder).toMatchObject({ dimension: COLUMNS, patchDimension: COLUMNS });
      expect(all.vectors).toMatchObject({ rows: photographs.length, columns: COLUMNS });
      expect(all.patches!.lengths).toEqual(new Uint32Array(photographs.length).fill(PATCHES));
      expect(all.patchQuads!.length).toBe(photographs.length * PATCHES * 8);
      const last = row(all.patchQuads!, PATCHES - 1, 8);
      expect([last[0], last[1], last[4], last[5]].map((value) => Math.round(value! * 7))).toEqual([
        6, 6, 7, 7,
      ]);
    });

    test('the mean of the 49 patches is the vector', () => {
      // A mean of 49 float32 values, added in float32 by the runtime, is off by at most 49 half units in the last place.
      const means = new Float32Array(all.vectors.data.length);
      for (let image = 0; image < photographs.length; image++) {
        for (let column = 0; column < COLUMNS; column++) {
          let sum = 0;
          for (let patch = 0; patch < PATCHES; patch++)
            sum += row(all.patches!.data, image * PATCHES + patch)[column]!;
          means[image * COLUMNS + column] = sum / PATCHES;
        }
      }
      expect(difference(all.vectors.data, means)).toBeLessThan(49 * 2 ** -24);
    });

    test('the same photographs give the same bits again', async () => {
      const again = await encoder.encodeImages(photographs.slice(0, 8));
      expect(again.vectors.data).toEqual(all.vectors.data.slice(0, 8 * COLUMNS));
      expect(again.patches!.data).toEqual(all.patches!.data.slice(0, 8 * PATCHES * COLUMNS));
    });

    test('the size of a batch changes nothing beyond float32 rounding', async () => {
      // 27 layers of sums of up to 1024 products: 1e-5 is two hundred units in the last place, and hundreds of times less
      // than what tells two photographs apart.
      for (const batchSize of [1, 3]) {
        await using other = await OnnxImageEncoder.open(model, { ...OPTIONS, batchSize });
        const { vectors, patches } = await other.encodeImages(photographs.slice(0, 4));
        expect(difference(vectors.data, all.vectors.data.slice(0, 4 * COLUMNS))).toBeLessThan(1e-5);
        expect(difference(patches!.data, all.patches!.data.slice(0, 4 * PATCHES * COLUMNS))).toBeLessThan(
          1e-5,
        );
      }
    });

    test('a cropped, mirrored or strongly compressed photograph finds its original first', async () => {
      const changes: Record<string, (file: string) => Promise<ImageInput>> = {
        mirrored: (file) => sharp(file).flop().jpeg({ quality: 95 }).toBuffer(),
        compressed: (file) => sharp(file).jpeg({ quality: 30 }).toBuffer(),
        cropped: async (file) => {
          const { width, height } = await sharp(file).metadata();
          const area = {
            left: width >> 3,
            top: height >> 3,
            width: (width * 3) >> 2,
            height: (height * 3) >> 2,
          };
          return sharp(file).extract(area).jpeg({ quality: 95 }).toBuffer();
        },
      };
      // The norm of the query's vector changes no order.
      const norms = photographs.map((_, j) =>
        Math.sqrt(dot(row(all.vectors.data, j), row(all.vectors.data, j))),
      );
      for (const [name, change] of Object.entries(changes)) {
        const { vectors: queries } = await encoder.encodeImages(await Promise.all(photographs.map(change)));
        const wrong = photographs.filter((_, i) => {
          const scores = norms.map((norm, j) => dot(row(queries.data, i), row(all.vectors.data, j)) / norm);
          return scores.indexOf(Math.max(...scores)) !== i;
        });
        expect({ [name]: wrong }).toEqual({ [name]: [] });
      }
    }, 60_000);

    test('patches projected to 128 principal components find the photograph by late interaction', async () => {
      const [mean, components] = readNpz(join(model, 'patch_pca_1024_to_128.npz'));
      const patchProjection = { mean: mean!, components: components!, dimension: 128 };
      await using small = await OnnxImageEncoder.open(model, {
        ...OPTIONS,
        normalize: true,
        patchProjection,
      });
      expect(small.patchDimension).toBe(128);
      const some = photographs.slice(0, 8);
      const { patches } = await small.encodeImages(some);
      const vectorsOf = (image: number) =>
        Array.from({ length: PATCHES }, (_, patch) => row(patches!.data, image * PATCHES + patch, 128));
      for (const [i, file] of some.entries()) {
        const query = await small.encodeQuery(await sharp(file).jpeg({ quality: 40 }).toBuffer());
        const views = (await query.patchesOf!([0])).patches;
        const scores = some.map((_, j) => {
          const others = vectorsOf(j);
          let score = 0;
          for (let patch = 0; patch < PATCHES; patch++) {
            score += Math.max(...others.map((other) => dot(row(views.data, patch, 128), other)));
          }
          return score;
        });
        expect(scores.indexOf(Math.max(...scores))).toBe(i);
      }
    }, 60_000);
  },
);

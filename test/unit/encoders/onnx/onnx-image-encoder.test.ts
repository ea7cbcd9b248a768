import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import {
  OnnxImageEncoder,
  type OnnxImageEncoderOptions,
} from '../../../../src/encoders/onnx/onnx-image-encoder.js';
import { buildOnnxModel, type ModelNode, type ModelValue } from './onnx-model-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-onnx-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RAW: OnnxImageEncoderOptions = {
  normalize: false,
  threads: 1,
  preprocessing: { mean: [0, 0, 0], std: [1, 1, 1], rescale: 1, kernel: 'nearest' },
};

interface ModelOptions {
  readonly batch?: number | string;
  readonly layout?: 'nchw' | 'nhwc';
  /** Repeats the mean colour before the patches, like a class token. */
  readonly classToken?: boolean;
  readonly outputs?: readonly string[];
}

/**
 * A model whose outputs are the mean colour of the picture (`embedding` [N, 3]) and of each cell of 8 x 8 pixels in it
 * (`patch_features` [N, 4, 3] for 16 x 16 pixels).
 */
function colourModel(name: string, options: ModelOptions = {}): string {
  const {
    batch = 'N',
    layout = 'nchw',
    classToken = false,
    outputs = ['embedding', 'patch_features'],
  } = options;
  const nodes: ModelNode[] = [
    {
      op: 'Transpose',
      inputs: ['pixel_values'],
      outputs: ['nchw'],
      attributes: { perm: layout === 'nchw' ? [0, 1, 2, 3] : [0, 3, 1, 2] },
    },
    { op: 'ReduceMean', inputs: ['nchw'], outputs: ['embedding'], attributes: { axes: [2, 3], keepdims: 0 } },
    {
      op: 'AveragePool',
      inputs: ['nchw'],
      outputs: ['cells'],
      attributes: { kernel_shape: [8, 8], strides: [8, 8] },
    },
    { op: 'Reshape', inputs: ['cells', 'cell_shape'], outputs: ['channels_first'] },
    {
      op: 'Transpose',
      inputs: ['channels_first'],
      outputs: [classToken ? 'patches' : 'patch_features'],
      attributes: { perm: [0, 2, 1] },
    },
  ];
  if (classToken) {
    nodes.push({
      op: 'ReduceMean',
      inputs: ['patches'],
      outputs: ['class'],
      attributes: { axes: [1], keepdims: 1 },
    });
    nodes.push({
      op: 'Concat',
      inputs: ['class', 'patches'],
      outputs: ['patch_features'],
      attributes: { axis: 1 },
    });
  }
  const values: Record<string, ModelValue> = {
    embedding: { name: 'embedding', type: 'float32', shape: [batch, 3] },
    patch_features: { name: 'patch_features', type: 'float32', shape: [batch, 'P', 3] },
    cells: { name: 'cells', type: 'float32', shape: [batch, 3, 'h', 'w'] },
  };
  const model = buildOnnxModel({
    inputs: [
      {
        name: 'pixel_values',
        type: 'float32',
        shape: layout === 'nchw' ? [batch, 3, 16, 16] : [batch, 16, 16, 3],
      },
    ],
    outputs: outputs.map((output) => values[output]!),
    nodes,
    constants: [{ name: 'cell_shape', dims: [3], data: BigInt64Array.of(0n, 3n, -1n) }],
  });
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, model);
  return file;
}

type Colour = readonly [number, number, number];

/** A PNG of `columns` x `rows` equal cells of one colour each. */
async function cells(
  columns: number,
  rows: number,
  colours: readonly Colour[],
  size = 16,
  metadata = {},
): Promise<Uint8Array> {
  const raw = Uint8Array.from(colours.flat());
  return sharp(raw, { raw: { width: columns, height: rows, channels: 3 } })
    .resize(size * columns, size * rows, { kernel: 'nearest' })
    .withMetadata(metadata)
    .png()
    .toBuffer();
}

const RED = [200, 0, 0] as const;
const GREEN = [0, 200, 0] as const;
const BLUE = [0, 0, 200] as const;
const GREY = [40, 50, 60] as const;
const corners = await cells(2, 2, [RED, GREEN, BLUE, GREY]);
const colours = colourModel('colours');

describe('OnnxImageEncoder', () => {
  test("gives the value (byte x rescale - mean) / std per channel, in the model's channel order and layout", async () => {
    const grey = await cells(1, 1, [GREY]);
    const preprocessing = { mean: [1, 2, 3], std: [2, 4, 4], rescale: 0.5, kernel: 'nearest' } as const;
    for (const layout of ['nchw', 'nhwc'] as const) {
      const model = colourModel(`order-${layout}`, { layout });
      await using rgb = await OnnxImageEncoder.open(model, { ...RAW, preprocessing });
      expect([...(await rgb.encodeImages([grey])).vectors.data]).toEqual([9.5, 5.75, 6.75]);
      expect(rgb.preprocessing.layout).toBe(layout);
      await using bgr = await OnnxImageEncoder.open(model, {
        ...RAW,
        preprocessing: { ...preprocessing, channelOrder: 'bgr' },
      });
      expect([...(await bgr.encodeImages([grey])).vectors.data]).toEqual([6.75, 5.75, 9.5]);
    }
  });

  test('gives each patch with its place, row by row', async () => {
    await using encoder = await OnnxImageEncoder.open(colours, RAW);
    expect(encoder).toMatchObject({ name: 'onnx:colours', dimension: 3, patchDimension: 3 });
    const { vectors, patches, patchQuads } = await encoder.encodeImages([corners]);
    expect(vectors).toEqual({ data: Float32Array.of(60, 62.5, 65), rows: 1, columns: 3 });
    expect(patches).toEqual({
      data: Float32Array.from([RED, GREEN, BLUE, GREY].flat()),
      lengths: Uint32Array.of(4),
      columns: 3,
    });
    expect([...patchQuads!.subarray(8, 16)]).toEqual([0.5, 0, 1, 0, 1, 0.5, 0.5, 0.5]);
    expect([...patchQuads!.subarray(16, 24)]).toEqual([0, 0.5, 0.5, 0.5, 0.5, 1, 0, 1]);
  });

  test('looks at a query through one view, with the patches of the same pass', async () => {
    await using encoder = await OnnxImageEncoder.open(colours, RAW);
    const { vectors, patches, patchQuads } = await encoder.encodeImages([corners]);
    const query = await encoder.encodeQuery(corners);
    expect(query.views).toEqual(vectors);
    expect([...query.viewQuads]).toEqual([0, 0, 1, 0, 1, 1, 0, 1]);
    expect(await query.patchesOf!([0])).toEqual({ patches, patchQuads });
    expect((await query.patchesOf!([0, 0])).patches.lengths).toEqual(Uint32Array.of(4, 4));
    expect((await query.patchesOf!([0, 0])).patches.data.subarray(12)).toEqual(patches!.data);
    await expect(query.patchesOf!([1])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a crop shows the middle, and its patches lie where they are in the whole picture', async () => {
    const wide = await cells(4, 1, [RED, GREEN, BLUE, GREY]);
    const preprocessing = { ...RAW.preprocessing, resize: 'crop' } as const;
    await using encoder = await OnnxImageEncoder.open(colours, { ...RAW, preprocessing });
    const query = await encoder.encodeQuery(wide);
    expect([...query.viewQuads]).toEqual([0.375, 0, 0.625, 0, 0.625, 1, 0.375, 1]);
    const { patches, patchQuads } = await query.patchesOf!([0]);
    expect(patches.data).toEqual(Float32Array.from([GREEN, BLUE, GREEN, BLUE].flat()));
    expect([...patchQuads.subarray(24, 32)]).toEqual([0.5, 0.5, 0.625, 0.5, 0.625, 1, 0.5, 1]);
  });

  test('turns a picture as its EXIF orientation says, lays transparency on white, takes greyscale', async () => {
    await using encoder = await OnnxImageEncoder.open(colours, RAW);
    const turned = await cells(2, 1, [RED, GREEN], 16, { orientation: 6 });
    expect((await encoder.encodeImages([turned])).patches!.data).toEqual(
      Float32Array.from([RED, RED, GREEN, GREEN].flat()),
    );
    const clear = { width: 9, height: 9, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;
    const transparent = await sharp({ create: clear }).png().toBuffer();
    expect([...(await encoder.encodeImages([transparent])).vectors.data]).toEqual([255, 255, 255]);
    const grey = await sharp(await cells(1, 1, [[80, 80, 80]]))
      .greyscale()
      .png()
      .toBuffer();
    expect([...(await encoder.encodeImages([grey])).vectors.data]).toEqual([80, 80, 80]);
  });

  test('drops the class token, and takes it as the vector where the model gives no other', async () => {
    await using both = await OnnxImageEncoder.open(colourModel('class', { classToken: true }), RAW);
    expect((await both.encodeImages([corners])).patches!.data).toEqual(
      Float32Array.from([RED, GREEN, BLUE, GREY].flat()),
    );
    const tokensOnly = colourModel('class-only', { classToken: true, outputs: ['patch_features'] });
    await using pooled = await OnnxImageEncoder.open(tokensOnly, RAW);
    expect([...(await pooled.encodeImages([corners])).vectors.data]).toEqual([60, 62.5, 65]);
    await using mean = await OnnxImageEncoder.open(colourModel('mean', { outputs: ['patch_features'] }), RAW);
    expect([...(await mean.encodeImages([corners])).vectors.data]).toEqual([60, 62.5, 65]);
  });

  test('batches of every size give the same, in order, also with a fixed batch', async () => {
    const pictures = await Promise.all([RED, GREEN, BLUE, GREY, RED].map((colour) => cells(1, 1, [colour])));
    const wanted = Float32Array.from([RED, GREEN, BLUE, GREY, RED].flat());
    for (const batchSize of [1, 2, 5, 8]) {
      await using encoder = await OnnxImageEncoder.open(colours, { ...RAW, batchSize });
      expect((await encoder.encodeImages(pictures)).vectors.data).toEqual(wanted);
    }
    await using fixed = await OnnxImageEncoder.open(colourModel('fixed', { batch: 2 }), RAW);
    expect((await fixed.encodeImages(pictures)).vectors.data).toEqual(wanted);
    expect((await fixed.encodeImages([])).vectors).toEqual({
      data: new Float32Array(0),
      rows: 0,
      columns: 3,
    });
  });

  test('projects patches by (x - mean) C, then normalises', async () => {
    const patchProjection = {
      mean: Float32Array.of(100, 0, 0),
      components: Float64Array.of(1, 0, 0, 1, 0, 2),
      dimension: 2,
    };
    await using raw = await OnnxImageEncoder.open(colours, { ...RAW, patchProjection });
    expect(raw.patchDimension).toBe(2);
    const { patches } = await raw.encodeImages([corners]);
    expect([...patches!.data]).toEqual([100, 0, -100, 200, -100, 400, -60, 170]);
    await using unit = await OnnxImageEncoder.open(colours, { ...RAW, normalize: true, patchProjection });
    const normalised = await unit.encodeImages([corners]);
    const expected = Float32Array.of(1, 0, -1 / Math.sqrt(5), 2 / Math.sqrt(5));
    expect(normalised.patches!.data.subarray(0, 4)).toEqual(expected);
    expect(Math.hypot(...normalised.vectors.data)).toBeCloseTo(1, 6);
    expect(unit.version).not.toBe(raw.version);
  });

  test('reads preprocessor_config.json, and options win over it', async () => {
    const place = join(folder, 'configured');
    mkdirSync(join(place, 'onnx'), { recursive: true });
    rmSync(join(place, 'onnx', 'model.onnx'), { force: true });
    const model = colourModel('configured/onnx/model');
    writeFileSync(
      join(place, 'preprocessor_config.json'),
      JSON.stringify({
        do_center_crop: true,
        crop_size: 16,
        size: { shortest_edge: 20 },
        resample: 3,
        rescale_factor: 0.25,
        image_mean: [1, 2, 3],
        image_std: [0.5, 0.25, 0.125],
      }),
    );
    await using encoder = await OnnxImageEncoder.open(place, { preprocessing: { mean: [0, 0, 0] } });
    expect(encoder.preprocessing).toEqual({
      width: 16,
      height: 16,
      resize: 'crop',
      shortestEdge: 20,
      kernel: 'cubic',
      rescale: 0.25,
      mean: [0, 0, 0],
      std: [0.5, 0.25, 0.125],
      channelOrder: 'rgb',
      layout: 'nchw',
    });
    await using byFile = await OnnxImageEncoder.open(model);
    expect(byFile.preprocessing.mean).toEqual([1, 2, 3]);
  });

  test('the version changes with the settings and only with them', async () => {
    const versions = await Promise.all(
      [RAW, RAW, { ...RAW, normalize: true }, { ...RAW, batchSize: 1 }].map(async (options) => {
        await using encoder = await OnnxImageEncoder.open(colours, options);
        return encoder.version;
      }),
    );
    expect(versions[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(versions[1]).toBe(versions[0]);
    expect(versions[2]).not.toBe(versions[0]);
    expect(versions[3]).toBe(versions[0]);
  });

  test('refuses options and models that do not fit, saying what is wrong', async () => {
    const open = (options: OnnxImageEncoderOptions, model = colours) =>
      OnnxImageEncoder.open(model, { ...RAW, ...options });
    const { preprocessing } = RAW;
    const projection = { mean: new Float32Array(4), components: new Float32Array(8), dimension: 2 };
    await expect(open({ preprocessing: {} })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/preprocessor_config/),
    });
    await expect(open({ batchSize: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ preprocessing: { ...preprocessing, std: [1, 0, 1] } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(open({ preprocessing: { ...preprocessing, width: 32 } })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/wrong dimension in input 'pixel_values'.*16 x 16.*32 x 16/),
    });
    await expect(open({ embeddingOutput: 'vector' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/colours\.onnx has no output 'vector'.*embedding float32\[1,3\]/),
    });
    await expect(open({ embeddingOutput: 'patch_features' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/wrong rank/),
    });
    await expect(open({ prefixTokens: 2 })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/no grid/),
    });
    await expect(open({ patchProjection: projection })).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
    await expect(open({}, colourModel('cells', { outputs: ['cells'] }))).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/no float32 output of rank 2/),
    });
    await expect(open({}, join(folder, 'none.onnx'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await using withoutPatches = await open({ prefixTokens: 2, patchOutput: false });
    expect(withoutPatches.patchDimension).toBe(0);
    expect(await withoutPatches.encodeImages([corners])).not.toHaveProperty('patches');
    expect(await withoutPatches.encodeQuery(corners)).not.toHaveProperty('patchesOf');
  });

  test('refuses inputs that are no picture', async () => {
    const value = (name: string, type: 'float32' | 'int64', shape: (number | string)[]) => ({
      name,
      type,
      shape,
    });
    const write = (name: string, inputs: ReturnType<typeof value>[]) => {
      const file = join(folder, `${name}.onnx`);
      const nodes = [{ op: 'Identity', inputs: [inputs[0]!.name], outputs: ['y'] }];
      writeFileSync(file, buildOnnxModel({ inputs, outputs: [{ ...inputs[0]!, name: 'y' }], nodes }));
      return OnnxImageEncoder.open(file, RAW);
    };
    const picture = value('pixel_values', 'float32', ['N', 3, 16, 16]);
    await expect(write('two', [picture, value('input_ids', 'int64', ['N', 'T'])])).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/2 inputs \(pixel_values, input_ids\)/),
    });
    await expect(write('rank', [value('x', 'float32', ['N', 'D'])])).rejects.toMatchObject({
      message: expect.stringMatching(/wrong rank in input 'x'/),
    });
    await expect(write('type', [value('x', 'int64', ['N', 3, 16, 16])])).rejects.toMatchObject({
      message: expect.stringMatching(/wrong type in input 'x'/),
    });
    await expect(write('channels', [value('x', 'float32', ['N', 5, 16, 16])])).rejects.toMatchObject({
      message: expect.stringMatching(/wrong dimension/),
    });
  });

  test('names the picture that is missing, is no picture or is cut off; stops on abort and after close', async () => {
    const encoder = await OnnxImageEncoder.open(colours, RAW);
    const noPicture = join(folder, 'text.png');
    writeFileSync(noPicture, 'not a picture');
    const truncated = corners.subarray(0, corners.length / 2);
    const missing = join(folder, 'missing.png');
    await expect(encoder.encodeImages([missing])).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      details: { image: missing },
    });
    await expect(encoder.encodeImages([corners, noPicture])).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      details: { image: noPicture },
    });
    await expect(encoder.encodeQuery(truncated)).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' });
    await expect(encoder.encodeQuery(new Uint8Array(0))).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' });
    await expect(encoder.encodeQuery(corners, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await encoder.close();
    await expect(encoder.encodeQuery(corners)).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
  });

  test('a vector that is not finite never leaves the encoder', async () => {
    const file = join(folder, 'infinite.onnx');
    const nodes = [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['m'], attributes: { axes: [2, 3], keepdims: 0 } },
      { op: 'Log', inputs: ['m'], outputs: ['y'] },
    ];
    const inputs = [{ name: 'x', type: 'float32', shape: ['N', 3, 16, 16] }] as const;
    writeFileSync(
      file,
      buildOnnxModel({ inputs, outputs: [{ name: 'y', type: 'float32', shape: ['N', 3] }], nodes }),
    );
    await using encoder = await OnnxImageEncoder.open(file, RAW);
    const images = [await cells(1, 1, [GREY]), await cells(1, 1, [GREEN])];
    await expect(encoder.encodeImages(images)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 1, column: 0 },
    });
  });
});

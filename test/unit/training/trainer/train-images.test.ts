import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Corpus } from '../../../../src/corpus/corpus.js';
import type { ImageEncoder, ImageInput } from '../../../../src/encoders/encoder.js';
import { GranuleError } from '../../../../src/errors.js';
import { adaptedImageEncoder } from '../../../../src/training/trainer/adapted-image-encoder.js';
import { saveAdapter } from '../../../../src/training/trainer/adapter.js';
import { readCorpusAdapter } from '../../../../src/training/trainer/corpus-adapter.js';
import {
  type TrainedCorpusRetriever,
  trainCorpusRetriever,
} from '../../../../src/training/trainer/train-corpus-retriever.js';
import type { TrainingLine } from '../../../../src/training/trainer/training-lines.js';
import { matrix } from '../../../../src/vectors/matrix.js';
import { FakeImageEncoder, FakeTextEncoder } from '../../corpus/fake-encoders.js';

/** Twelve hues; the last four are measured. */
const HUES = ['a00', '0aa', 'aa0', '00a', 'a50', '0a5', 'a05', '5a0', '0a0', 'a0a', '50a', '05a'];
const COLOURS = HUES.length;

/** Encodes images by their colour, and pictures that are asked about by a colour whose channels have changed places. */
class TurnedColours implements ImageEncoder {
  readonly name = 'turned-colours';
  readonly version = '1';
  readonly dimension = 3;
  readonly patchDimension = 2;
  released = 0;
  readonly #images = new FakeImageEncoder();

  async encodeImages(images: readonly ImageInput[]) {
    const { vectors, ...patches } = await this.#images.encodeImages(images);
    return { vectors: units(vectors.data), ...patches };
  }

  async encodeQuery(image: ImageInput) {
    const { vectors } = await this.encodeImages([image]);
    const [red, green, blue] = vectors.data;
    const patches = [7, 8];
    return {
      views: matrix(Float32Array.of(green!, blue!, red!, 0, 0, 1), 3),
      viewQuads: new Float32Array(16).fill(0.5),
      picture: image,
      release: () => {
        this.released++;
      },
      async patchesOf() {
        // As a method of the query, which is an object of its own.
        expect(this.picture).toBe(image);
        const vectors = { data: Float32Array.from(patches), lengths: Uint32Array.of(1), columns: 2 };
        return { patches: vectors, patchQuads: new Float32Array(8) };
      },
    };
  }
}

function units(data: Float32Array) {
  const rows = Array.from({ length: data.length / 3 }, (_, i) => data.subarray(3 * i, 3 * i + 3));
  return matrix(Float32Array.from(rows.flatMap((row) => [...row].map((x) => x / Math.hypot(...row)))), 3);
}

const folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const picture = (i: number) => join(folder, `${i}.png`);
const encoders = { textEncoder: new FakeTextEncoder(), imageEncoder: new TurnedColours() };
const lineOf = (i: number): TrainingLine => ({
  place: `line ${i}`,
  file: 'train.jsonl',
  line: i,
  image: picture(i),
  positives: [`e${i}`],
  negatives: [],
  grades: {},
  answers: [],
});
const encoded: number[][] = [];
let result: TrainedCorpusRetriever;
let corpus: Corpus;

beforeAll(async () => {
  const lines = await Promise.all(
    HUES.map(async (hue, i) => {
      const background = `#${hue}`;
      await sharp({ create: { width: 2, height: 2, channels: 3, background } })
        .png()
        .toFile(picture(i));
      return {
        entity: { id: `e${i}`, title: `E${i}`, image: picture(i) },
        passages: [{ id: `p${i}`, text: `E${i}` }],
      };
    }),
  );
  corpus = await Corpus.create(join(folder, 'kb'), encoders);
  await corpus.ingest(lines);
  await using snapshot = await corpus.snapshot();
  const all = lines.map((_, i) => lineOf(i));
  const queryTower = { kind: 'linear', input: 3, output: 3, bias: false } as const;
  result = await trainCorpusRetriever(
    snapshot,
    encoders,
    { train: all.slice(0, 8), dev: all.slice(8) },
    {
      towers: () => ({ queryTower }),
      learningRate: 0.1,
      epochs: 40,
      patience: 40,
      onEncoded: (...progress) => encoded.push(progress),
    },
  );
});

afterAll(() => corpus.close());

describe('training on pictures', () => {
  it('teaches pictures that it never saw to find their entities, and frees what queries keep', async () => {
    expect(result.before!.measures['recip_rank']).toBeLessThan(0.3);
    expect(result.after!.measures['recip_rank']).toBe(1);
    expect(result.adapter).toMatchObject({ encoder: { name: 'turned-colours' }, training: { of: 'images' } });
    expect(encoders.imageEncoder.released).toBe(COLOURS);
    expect(encoded).toEqual(HUES.map((_, i) => [i + 1, COLOURS]));
  });

  it('names the line of an image that cannot be read', async () => {
    const encodeQuery = async (image: ImageInput) => {
      if (image === picture(3)) throw new GranuleError('IMAGE_UNREADABLE', 'it is torn', { image: 'torn' });
      return encoders.imageEncoder.encodeQuery(image);
    };
    const imageEncoder = Object.assign(new TurnedColours(), { encodeQuery });
    await using snapshot = await corpus.snapshot();
    const train = [lineOf(2), lineOf(3)];
    await expect(
      trainCorpusRetriever(snapshot, { ...encoders, imageEncoder }, { train }),
    ).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      message: 'line 3: it is torn',
      details: { file: 'train.jsonl', line: 3, image: 'torn' },
    });
  });

  it('gives an encoder that finds them in the index as it is: every view mapped, patches as they were', async () => {
    const file = join(folder, 'images.safetensors');
    await saveAdapter(file, result.adapter);
    const { imageEncoder: adapted, textEncoder } = (await readCorpusAdapter(file)).adapt(encoders);
    expect(textEncoder).toBeUndefined();
    expect(adapted).toMatchObject({ name: 'turned-colours', version: '1', dimension: 3, patchDimension: 2 });
    await using snapshot = await corpus.snapshot();
    for (let i = 8; i < COLOURS; i++) {
      const plain = await encoders.imageEncoder.encodeQuery(picture(i));
      const query = await adapted!.encodeQuery(picture(i));
      expect(query.views).toEqual(await result.query.encode(plain.views));
      expect(query.viewQuads).toEqual(plain.viewQuads);
      expect(await query.patchesOf!([0])).toEqual(await plain.patchesOf());
      query.release!();
      const { rows } = await snapshot.searchImages(matrix(query.views.data.slice(0, 3), 3), { k: 1 });
      expect((await snapshot.images([...rows]))[0]!.entityId).toBe(`e${i}`);
    }
    expect((await adapted!.encodeImages([picture(0)])).vectors).toEqual(
      (await encoders.imageEncoder.encodeImages([picture(0)])).vectors,
    );
  });

  it('is refused by another encoder of images, not by that of texts', async () => {
    const file = join(folder, 'others.safetensors');
    const { adapter } = result;
    await saveAdapter(file, { ...adapter, encoder: { ...adapter.encoder, name: 'other-colours' } });
    const { adapt } = await readCorpusAdapter(file);
    expect(() => adapt(encoders)).toThrow(/trained on the encoder other-colours .* this is turned-colours/);
  });

  it('with a tower of documents gives another encoder, whose images are mapped and whose patches are not', async () => {
    const adapter = { ...result.adapter, document: result.query };
    const adapted = adaptedImageEncoder(encoders.imageEncoder, adapter);
    expect(adapted.name).toBe('turned-colours+adapter');
    expect(adapted.version).toMatch(/^1\+[0-9a-f]{12}$/);
    const [plain, mapped] = await Promise.all(
      [encoders.imageEncoder, adapted].map((encoder) => encoder.encodeImages([picture(1), picture(2)])),
    );
    expect(mapped!.vectors).toEqual(await result.query.encode(plain!.vectors));
    expect([mapped!.patches, mapped!.patchQuads]).toEqual([plain!.patches, plain!.patchQuads]);
    const other = { ...adapter, encoder: { ...adapter.encoder, version: '2' } };
    expect(() => adaptedImageEncoder(encoders.imageEncoder, other)).toThrow(
      expect.objectContaining({ code: 'ENCODER_MISMATCH' }),
    );
  });
});

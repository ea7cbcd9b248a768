/** Real embeddings, read from a folder beside the repository; figures about them were counted elsewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  FlatIndex,
  type Metric,
  MultiVectorIndex,
  OnnxImageEncoder,
  type RaggedMatrix,
} from '../../src/index.js';
import { expectBits, expectHits } from '../conformance/expect-bits.js';
import { best, flatSearch, maxSim, rowOf } from '../conformance/oracle.js';

const DATA = path.resolve(import.meta.dirname, '../../../shared/data');
const METRICS: readonly Metric[] = ['ip', 'cosine', 'l2'];

/** A float32 matrix in NumPy's format 1.0, C order. */
function readNpy(file: string): { data: Float32Array; rows: number; columns: number } {
  const bytes = readFileSync(file);
  const headerLength = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + headerLength);
  expect(header).toContain("'descr': '<f4'");
  const [, rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(header)!;
  const values = bytes.subarray(10 + headerLength);
  return {
    data: new Float32Array(new Uint8Array(values).buffer),
    rows: Number(rows),
    columns: Number(columns),
  };
}

/** Words and vectors of those lines that are whole. */
function readGlove(file: string, dimension: number): { words: string[]; vectors: number[] } {
  const words: string[] = [];
  const vectors: number[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [word, ...values] = line.split(' ');
    const numbers = values.map(Number);
    if (!word || numbers.length !== dimension || !numbers.every(Number.isFinite)) continue;
    words.push(word);
    vectors.push(...numbers);
  }
  return { words, vectors };
}

const squad = path.join(DATA, 'minilm-squad', 'corpus_embeddings.npy');
const hasSquad = existsSync(squad);
describe.skipIf(!hasSquad)(
  `2,000 sentence embeddings${hasSquad ? '' : ' (skipped: shared/data is absent)'}`,
  () => {
    it('every question finds itself first', async () => {
      const { data, rows, columns } = readNpy(squad);
      const index = new FlatIndex({ dimension: columns });
      await index.add(data);
      const hits = await index.search(data, { k: 2, temperature: 0.01 });
      for (let row = 0; row < rows; row++) {
        // Questions that stand in the file twice tie.
        if (hits.rows[2 * row] !== row)
          expect(hits.scores[2 * row]! - hits.scores[2 * row + 1]!).toBeLessThan(1e-6);
      }
    });

    it('262 pairs are more alike than .9', async () => {
      const { data, rows, columns } = readNpy(squad);
      const index = new FlatIndex({ dimension: columns, metric: 'cosine' });
      await index.add(data);
      const hits = await index.search(data, { k: 50 });
      let pairs = 0;
      for (let row = 0; row < rows; row++) {
        for (let place = 50 * row; place < 50 * (row + 1); place++) {
          if (hits.rows[place]! > row && hits.scores[place]! > 0.9) pairs++;
        }
        expect(hits.scores[50 * row + 49]!).toBeLessThan(0.9);
      }
      expect(pairs).toBe(262);
    });

    it.each(METRICS)('%s: the oracle agrees, bit for bit', async (metric) => {
      const { data, columns } = readNpy(squad);
      const index = new FlatIndex({ dimension: columns, metric });
      await index.add(data);
      const queries = data.subarray(17 * columns, 22 * columns);
      const expected = Array.from({ length: 5 }, (_, query) =>
        flatSearch(metric, data, rowOf(queries, query, columns), 100),
      );
      expectHits(await index.search(queries, { k: 100, temperature: 0.01 }), expected, metric, 0.01);
    });

    it('as documents of ten sentences each, the oracle agrees with MaxSim', async () => {
      const { data, columns } = readNpy(squad);
      const index = new MultiVectorIndex({ dimension: columns });
      await index.add(data, new Uint32Array(200).fill(10));
      const query = data.subarray(1_003 * columns, 1_007 * columns);
      const hits = await index.search(query, { k: 200, explain: true });
      expect(hits.rows[0]).toBe(100);
      for (let place = 0; place < 200; place += 19) {
        const document = hits.rows[place]!;
        const expected = maxSim(
          'ip',
          Array.from({ length: 4 }, (_, i) => rowOf(query, i, columns)),
          Array.from({ length: 10 }, (_, j) => rowOf(data, document * 10 + j, columns)),
        );
        expectBits([hits.scores[place]!], [expected.score], `place ${place}`);
        expect([...hits.matches(0, place)!.vectors]).toEqual(expected.vectors);
      }
    });
  },
);

const model = path.join(DATA, 'mobilenet-v1');
const photographFolder = path.join(DATA, 'coco-by', 'images');
const hasPhotographs = existsSync(model) && existsSync(photographFolder);
describe.skipIf(!hasPhotographs)(
  `patches of 29 photographs${hasPhotographs ? '' : ' (skipped: shared/data is absent)'}`,
  () => {
    const QUERY_VECTORS = 8;
    let patches: RaggedMatrix;

    beforeAll(async () => {
      await using encoder = await OnnxImageEncoder.open(model, {
        normalize: false,
        threads: 1,
        preprocessing: { rescale: 1 / 128, mean: [1, 1, 1], std: [1, 1, 1] },
      });
      const files = readdirSync(photographFolder).sort();
      const encoded = await encoder.encodeImages(files.map((file) => path.join(photographFolder, file)));
      patches = encoded.patches!;
    }, 60_000);

    it.each(METRICS)('%s: the oracle agrees with MaxSim, on any number of threads', async (metric) => {
      const { data, columns, lengths } = patches;
      const query = data.subarray(3 * lengths[0]! * columns, (3 * lengths[0]! + QUERY_VECTORS) * columns);
      const queryVectors = Array.from({ length: QUERY_VECTORS }, (_, i) => rowOf(query, i, columns));
      let start = 0;
      const scored = [...lengths].map((length, row) => {
        const own = Array.from({ length }, (_, j) => rowOf(data, start + j, columns));
        start += length;
        return { row, score: maxSim(metric, queryVectors, own).score };
      });
      if (metric !== 'ip') expect(best(scored, 1).rows).toEqual([3]);
      for (const threads of [1, 2, 3, 8]) {
        const index = new MultiVectorIndex({ dimension: columns, metric, threads });
        await index.add(data, lengths);
        expectHits(await index.search(query, { k: 5 }), [best(scored, 5)], `${metric}, ${threads} threads`);
        index.dispose();
      }
    });
  },
);

const glove = ['top2445', 'mid5403'].map((part) => path.join(DATA, 'glove50', `glove.6B.50d.${part}.txt`));
const hasGlove = glove.every((file) => existsSync(file));
describe.skipIf(!hasGlove)(`7,844 word vectors${hasGlove ? '' : ' (skipped: shared/data is absent)'}`, () => {
  const parts = hasGlove ? glove.map((file) => readGlove(file, 50)) : [];
  const words = parts.flatMap((part) => part.words);
  const data = Float32Array.from(parts.flatMap((part) => part.vectors));

  it.each(METRICS)('%s: the oracle agrees, bit for bit', async (metric) => {
    const index = new FlatIndex({ dimension: 50, metric });
    for (const part of parts) await index.add(Float32Array.from(part.vectors));
    expect(index.rows).toBe(words.length);
    const queries = ['king', 'france', 'seven'].map((word) => rowOf(data, words.indexOf(word), 50));
    const batch = Float32Array.from(queries.flatMap((query) => [...query]));
    const expected = queries.map((query) => flatSearch(metric, data, query, 40));
    expectHits(await index.search(batch, { k: 40 }), expected, metric);
    if (metric !== 'ip') {
      expect(expected.map(({ rows }) => words[rows[0]!])).toEqual(['king', 'france', 'seven']);
    }
  });
});

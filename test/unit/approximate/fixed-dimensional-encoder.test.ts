import { describe, expect, it } from 'vitest';
import { FixedDimensionalEncoder } from '../../../src/approximate/index.js';
import { SeededRandom } from '../../../src/ranking/seeded-random.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';
import { dot, listsOf } from './slow-forms.js';

interface Parameters {
  dimension: number;
  repetitions: number;
  hyperplanes: number;
  projectedDimension: number;
  finalDimension?: number;
  fillEmptyPartitions: boolean;
  seed: number;
}

/** A count-sketch as a matrix of 0, 1 and -1. */
function sketchMatrix(from: number, to: number, random: SeededRandom): number[][] {
  const rows = Array.from({ length: to }, () => new Array<number>(from).fill(0));
  for (let i = 0; i < from; i++) {
    const place = random.integer(0, to - 1);
    rows[place]![i] = random.chance(0.5) ? 1 : -1;
  }
  return rows;
}

const times = (rows: number[][], x: number[]) => rows.map((row) => dot(row, x));
/** The signs of a partition: its Gray code, from the table of reflected codes, as texts. */
function grayTable(bits: number): string[] {
  if (bits === 0) return [''];
  const shorter = grayTable(bits - 1);
  return [...shorter.map((code) => `0${code}`), ...shorter.reverse().map((code) => `1${code}`)];
}
const differing = (a: string, b: string) => [...a].filter((sign, i) => sign !== b[i]).length;

/** An encoding by the definition, with matrices written out. */
function slowEncoding(vectors: number[][], kind: 'query' | 'document', p: Parameters): number[] {
  const table = grayTable(p.hyperplanes);
  const blocks: number[] = [];
  for (let r = 0; r < p.repetitions; r++) {
    const normal = new SeededRandom(`hyperplanes ${p.seed + r}`);
    const planes = Array.from({ length: p.hyperplanes }, () =>
      Array.from({ length: p.dimension }, () => normal.normal()),
    );
    const projection = sketchMatrix(
      p.dimension,
      p.projectedDimension,
      new SeededRandom(`projection ${p.seed + r}`),
    );
    const project = (x: number[]) => (p.projectedDimension === p.dimension ? x : times(projection, x));
    const signsOf = (x: number[]) => planes.map((plane) => (dot(plane, x) > 0 ? '1' : '0')).join('');
    for (const signs of table) {
      const own = vectors.filter((x) => signsOf(x) === signs).map(project);
      let block = new Array<number>(p.projectedDimension).fill(0);
      for (const x of own) block = block.map((value, d) => value + x[d]!);
      if (kind === 'document' && own.length > 0) block = block.map((value) => value / own.length);
      if (kind === 'document' && own.length === 0 && p.fillEmptyPartitions) {
        const distances = vectors.map((x) => differing(signsOf(x), signs));
        block = project(vectors[distances.indexOf(Math.min(...distances))]!);
      }
      blocks.push(...block);
    }
  }
  if (p.finalDimension === undefined) return blocks;
  return times(
    sketchMatrix(blocks.length, p.finalDimension, new SeededRandom(`final projection ${p.seed}`)),
    blocks,
  );
}

const base = {
  dimension: 6,
  repetitions: 3,
  hyperplanes: 3,
  projectedDimension: 4,
  fillEmptyPartitions: true,
  seed: 9,
};

describe('FixedDimensionalEncoder', () => {
  const data = new Seeded(4).normal(5 * 6);

  it.each<Parameters>([
    base,
    { ...base, projectedDimension: 6 },
    { ...base, fillEmptyPartitions: false },
    { ...base, finalDimension: 17 },
    { ...base, hyperplanes: 0 },
    { ...base, hyperplanes: 6, repetitions: 1 },
  ])('encodes by the definition: %j', (parameters) => {
    const encoder = new FixedDimensionalEncoder(parameters);
    for (const rows of [1, 2, 5]) {
      const vectors = listsOf(data.subarray(0, rows * 6), 6);
      const flat = data.slice(0, rows * 6);
      for (const [kind, encoding] of [
        ['query', encoder.encodeQuery(flat)],
        ['document', encoder.encodeDocument(matrix(flat, 6))],
      ] as const) {
        expect(encoding).toHaveLength(encoder.length);
        const slow = slowEncoding(vectors, kind, parameters);
        expect(encoding.length).toBe(slow.length);
        for (const [i, value] of slow.entries()) expect(encoding[i]).toBeCloseTo(value, 5);
      }
    }
  });

  it('projects by a count-sketch: a coordinate goes to one place with one sign, not to all', () => {
    const encoder = new FixedDimensionalEncoder({
      dimension: 64,
      repetitions: 1,
      hyperplanes: 0,
      projectedDimension: 8,
    });
    const places = new Set<number>();
    const signs = new Set<number>();
    for (let d = 0; d < 64; d++) {
      const encoding = encoder.encodeQuery(Float32Array.from({ length: 64 }, (_, i) => (i === d ? 1 : 0)));
      const others = [...encoding.entries()].filter(([, value]) => value !== 0);
      expect(others).toHaveLength(1);
      places.add(others[0]![0]);
      signs.add(others[0]![1]);
    }
    expect(places.size).toBe(8);
    expect([...signs].sort()).toEqual([-1, 1]);
  });

  it('keeps inner products on average over seeds', () => {
    const [q, x] = [data.slice(0, 6), data.slice(6, 12)];
    const seeds = 4000;
    let sum = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const encoder = new FixedDimensionalEncoder({
        dimension: 6,
        repetitions: 1,
        hyperplanes: 0,
        projectedDimension: 3,
        finalDimension: 2,
        seed,
      });
      sum += dot([...encoder.encodeQuery(q)], [...encoder.encodeDocument(x)]);
    }
    // A sketch's product has a standard deviation below |q| |x| here, some 6: four of them over the root of the number.
    expect(Math.abs(sum / seeds - dot([...q], [...x]))).toBeLessThan(0.4);
  });

  it('adds a query up, so that a vector given twice counts twice; and averages a document, where it counts once', () => {
    const encoder = new FixedDimensionalEncoder(base);
    const once = data.slice(0, 6);
    const twice = Float32Array.from([...once, ...once]);
    expect([...encoder.encodeQuery(twice)]).toEqual([...encoder.encodeQuery(once)].map((value) => 2 * value));
    expect(encoder.encodeDocument(twice)).toEqual(encoder.encodeDocument(once));
  });

  it('finds the whole of MaxSim where a document is one vector: R times it, filled', () => {
    const encoder = new FixedDimensionalEncoder({ ...base, projectedDimension: 6, repetitions: 5 });
    const [query, document] = [data.slice(0, 18), data.slice(18, 24)];
    const product = dot([...encoder.encodeQuery(query)], [...encoder.encodeDocument(document)]);
    const exact = listsOf(query, 6).reduce((sum, q) => sum + dot(q, [...document]), 0);
    expect(product / encoder.repetitions).toBeCloseTo(exact, 4);
  });

  it('is the same with the same seed, and another with another; defaults are 20 repetitions of 32 partitions', () => {
    const encode = (seed: number) => new FixedDimensionalEncoder({ ...base, seed }).encodeQuery(data);
    expect(encode(1)).toEqual(encode(1));
    expect(encode(1)).not.toEqual(encode(2));
    expect(new FixedDimensionalEncoder({ dimension: 128 }).length).toBe(20 * 32 * 16);
    expect(new FixedDimensionalEncoder({ dimension: 8 }).length).toBe(20 * 32 * 8);
    expect(new FixedDimensionalEncoder({ dimension: 8, finalDimension: 100 }).length).toBe(100);
  });

  it.each([
    ['INVALID_ARGUMENT', { dimension: 8, repetitions: 0 }],
    ['INVALID_ARGUMENT', { dimension: 8, hyperplanes: 31 }],
    ['INVALID_ARGUMENT', { dimension: 8, projectedDimension: 9 }],
    ['INVALID_ARGUMENT', { dimension: 8, finalDimension: 0 }],
    ['INVALID_ARGUMENT', { dimension: 8, partitions: 4 }],
    ['INVALID_ARGUMENT', { dimension: 8, seed: -1 }],
    ['DIMENSION_INVALID', { dimension: 0 }],
    ['DIMENSION_INVALID', { dimension: 128, hyperplanes: 9 }],
    ['DIMENSION_INVALID', { dimension: 128, hyperplanes: 20, finalDimension: 100 }],
  ])('refuses with %s: %j', (code, options) => {
    expect(() => new FixedDimensionalEncoder(options as never)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a query or a document without vectors', () => {
    const encoder = new FixedDimensionalEncoder(base);
    for (const encode of [encoder.encodeQuery, encoder.encodeDocument]) {
      expect(() => encode.call(encoder, new Float32Array(0))).toThrow(
        expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
      );
    }
  });
});

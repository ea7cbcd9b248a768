import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  groupWeights,
  MULTI_VECTOR_SCORES,
  type MultiVectorScoreName,
  scoreDocuments,
} from '../../../../src/granularity/index.js';
import { MultiVectorIndex } from '../../../../src/index.js';
import { matrix } from '../../../../src/vectors/matrix.js';
import { Seeded } from '../../../conformance/seeded.js';

const NAMES = Object.keys(MULTI_VECTOR_SCORES) as MultiVectorScoreName[];

type Vectors = number[][];
const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
const mean = (values: number[]) => total(values) / values.length;
const pooled = (weights: number[], vectors: Vectors) =>
  vectors[0]!.map((_, d) => total(vectors.map((vector, j) => weights[j]! * vector[d]!)));
const shares = (values: number[]) => values.map((value) => value / total(values));
const sharpest = (values: number[], t: number) => shares(values.map((value) => Math.exp(value / t)));

/** The definitions, with the pooled vectors that the tile stands for. */
const DEFINITIONS: Record<
  MultiVectorScoreName,
  { options: object; score: (q: Vectors, x: Vectors) => number }
> = {
  maxsim: { options: {}, score: (q, x) => total(q.map((a) => Math.max(...x.map((b) => dot(a, b))))) },
  'mean-maxsim': { options: {}, score: (q, x) => mean(q.map((a) => Math.max(...x.map((b) => dot(a, b))))) },
  'smooth-maxsim': {
    options: { temperature: 0.5 },
    score: (q, x) => total(q.map((a) => 0.5 * Math.log(total(x.map((b) => Math.exp(dot(a, b) / 0.5)))))),
  },
  'top-mean': {
    options: { most: 2 },
    score: (q, x) =>
      total(
        q.map((a) =>
          mean(
            x
              .map((b) => dot(a, b))
              .sort((m, n) => n - m)
              .slice(0, 2),
          ),
        ),
      ),
  },
  filip: {
    options: {},
    score: (q, x) =>
      mean([
        mean(q.map((a) => Math.max(...x.map((b) => dot(a, b))))),
        mean(x.map((b) => Math.max(...q.map((a) => dot(a, b))))),
      ]),
  },
  pacl: {
    options: { temperature: 0.5 },
    score: (q, x) =>
      mean(
        q.map((a) =>
          dot(
            a,
            pooled(
              sharpest(
                x.map((b) => dot(a, b)),
                0.5,
              ),
              x,
            ),
          ),
        ),
      ),
  },
  sparc: {
    options: {},
    score: (q, x) =>
      mean(
        q.map((a) => {
          const s = x.map((b) => dot(a, b));
          const [least, most] = [Math.min(...s), Math.max(...s)];
          const scaled = s.map((value) => (most === least ? 1 : (value - least) / (most - least)));
          return dot(a, pooled(shares(scaled.map((value) => (value < 1 / x.length ? 0 : value))), x));
        }),
      ),
  },
  flair: {
    options: { temperature: 0.5 },
    score: (q, x) =>
      mean(
        q.map((a) => {
          const keys = [...x, a.map(() => 0)];
          const attention = sharpest(
            keys.map((key) => dot(a, key)),
            0.5,
          );
          return dot(a, pooled(attention, keys));
        }),
      ),
  },
  'bi-isa': {
    options: { temperature: 0.5 },
    score: (q, x) => {
      const isa = (c: number[]) => total(sharpest(sharpest(c, 0.5), 0.5).map((weight, i) => weight * c[i]!));
      const words = q.map((a) => isa(x.map((b) => dot(a, b))));
      const patches = x.map((b) => isa(q.map((a) => dot(a, b))));
      return mean([isa(words), isa(patches)]);
    },
  },
};

// Eighths: inner products of few of them are exact, so equal similarities are equal in every order of adding.
const eighths = (dimension: number) =>
  fc.array(
    fc.integer({ min: -8, max: 8 }).map((value) => value / 8),
    { minLength: dimension, maxLength: dimension },
  );
const cases = fc.integer({ min: 1, max: 5 }).chain((dimension) =>
  fc.record({
    query: fc.array(eighths(dimension), { minLength: 1, maxLength: 5 }),
    documents: fc.array(fc.array(eighths(dimension), { minLength: 0, maxLength: 6 }), { maxLength: 4 }),
  }),
);

function collection(documents: Vectors[], columns: number) {
  return {
    data: Float32Array.from(documents.flat(2)),
    lengths: Uint32Array.from(documents, (vectors) => vectors.length),
    columns,
  };
}

describe('scoreDocuments', () => {
  it.each(NAMES)(
    '%s agrees with its definition, document by document; without vectors it is -Infinity',
    async (name) => {
      const { options, score } = DEFINITIONS[name];
      await fc.assert(
        fc.asyncProperty(cases, async ({ query, documents }) => {
          const columns = query[0]!.length;
          const q = matrix(Float32Array.from(query.flat()), columns);
          const scored = await scoreDocuments(q, collection(documents, columns), name, options as never);
          const { scores } = scored;
          expect(scores).toHaveLength(documents.length);
          for (const [document, vectors] of documents.entries()) {
            const { vectors: best, similarities } = scored.matches(document)!;
            if (vectors.length === 0) {
              expect(scores[document]).toBe(Number.NEGATIVE_INFINITY);
              expect([...best]).toEqual(query.map(() => 0xffffffff));
              continue;
            }
            expect(scores[document]).toBeCloseTo(score(query, vectors), 10);
            for (const [i, a] of query.entries()) {
              const all = vectors.map((b) => dot(a, b));
              expect(best[i]).toBe(all.indexOf(Math.max(...all)));
              expect(similarities[i]).toBe(Math.max(...all));
            }
          }
        }),
      );
    },
  );

  it('maxsim, rounded once, is the score of MultiVectorIndex, bit for bit, and so are the matches', async () => {
    const random = new Seeded(2);
    const dimension = 37;
    const lengths = Uint32Array.from({ length: 30 }, (_, i) => 1 + ((i * 5) % 17));
    const data = random.normal(dimension * lengths.reduce((a, b) => a + b));
    const query = matrix(random.normal(7 * dimension), dimension);
    const scored = await scoreDocuments(query, { data, lengths, columns: dimension }, 'maxsim');
    const index = new MultiVectorIndex({ dimension });
    await index.add(data, lengths);
    const hits = await index.search(query, { k: 30, explain: true });
    for (const [place, row] of hits.rows.entries()) {
      expect(Math.fround(scored.scores[row]!)).toBe(hits.scores[place]);
      expect(scored.matches(row)).toEqual(hits.matches(0, place));
    }
    index.dispose();
  });

  it('does not raise a similarity below 0 to that of padding', async () => {
    const query = matrix(Float32Array.of(1, 0, 0, 1), 2);
    const documents = {
      data: Float32Array.of(-1, -1, -0.5, -0.5, -0.25, -0.75),
      lengths: Uint32Array.of(2, 1),
      columns: 2,
    };
    const scores = async (name: MultiVectorScoreName) => [
      ...(await scoreDocuments(query, documents, name)).scores,
    ];
    expect(await scores('maxsim')).toEqual([-1, -1]);
    expect(await scores('mean-maxsim')).toEqual([-0.5, -0.5]);
    expect(await scores('filip')).toEqual([-0.625, -0.375]);
    expect(await scores('sparc')).toEqual([-0.5, -0.5]);
  });

  it('does not let a document gain by the length of another', async () => {
    const query = matrix(new Seeded(1).normal(3 * 5), 5);
    const vectors = new Seeded(4).normal(9 * 5);
    for (const name of NAMES) {
      const both = { data: vectors, lengths: Uint32Array.of(2, 7), columns: 5 };
      const alone = { data: vectors.subarray(0, 10), lengths: Uint32Array.of(2), columns: 5 };
      const [of, by] = [await scoreDocuments(query, both, name), await scoreDocuments(query, alone, name)];
      expect(of.scores[0]).toBe(by.scores[0]);
    }
  });

  it('of one query vector and one document vector every score but flair is their similarity', async () => {
    for (const name of NAMES) {
      const score = await scoreOf([0.75], name);
      if (name === 'flair') expect(score).toBeCloseTo((0.75 * Math.exp(7.5)) / (1 + Math.exp(7.5)), 12);
      else expect(score).toBeCloseTo(0.75, 12);
    }
  });

  it('weighs query vectors, and a mean by the sum of the weights', async () => {
    const query = matrix(Float32Array.of(1, 0, 0, 1, 1, 1), 2);
    const documents = { data: Float32Array.of(3, 1, 0, 2), lengths: Uint32Array.of(2), columns: 2 };
    const weights = groupWeights([
      { vectors: 1, weight: 2 },
      { vectors: 0, weight: 9 },
      { vectors: 2, weight: 0.5 },
    ]);
    expect([...weights]).toEqual([2, 0.5, 0.5]);
    const score = async (name: MultiVectorScoreName, options: object = {}) =>
      (await scoreDocuments(query, documents, name, { weights, ...options } as never)).scores[0];
    const expected = 2 * 3 + 0.5 * 2 + 0.5 * 4;
    expect(await score('maxsim')).toBe(expected);
    expect(await score('mean-maxsim')).toBe(expected / 3);
    expect(await score('top-mean', { most: 1 })).toBe(expected);
    expect(await score('smooth-maxsim', { temperature: 0.01 })).toBeCloseTo(expected, 6);
  });

  it('filip gives each direction alone', async () => {
    const query = matrix(Float32Array.of(1, 0), 2);
    const documents = { data: Float32Array.of(1, 0, -1, 0), lengths: Uint32Array.of(2), columns: 2 };
    const scores = [];
    for (const direction of ['query-to-document', 'document-to-query', 'both'] as const) {
      scores.push((await scoreDocuments(query, documents, 'filip', { direction })).scores[0]);
    }
    expect(scores).toEqual([1, 0, 0.5]);
  });

  it('a smooth maximum lies between the maximum and t ln n_d more, for large similarities too', async () => {
    const smooth = await scoreOf([3000, 2999, -3000], 'smooth-maxsim');
    expect(smooth).toBeGreaterThanOrEqual(3000);
    expect(smooth).toBeLessThanOrEqual(3000 + 0.1 * Math.log(3));
    expect(await scoreOf([2, 2, 2], 'smooth-maxsim')).toBeCloseTo(2 + 0.1 * Math.log(3), 12);
  });

  it('a text that fits no patch attends to the empty key', async () => {
    expect(await scoreOf([-1, -0.9], 'flair')).toBeCloseTo(0, 3);
    expect(await scoreOf([-1, -0.9], 'pacl')).toBeLessThan(-0.9);
  });

  it('sparc drops what lies below 1 / P of the range and keeps what lies on it', async () => {
    // Of four patches the threshold is a quarter: 0.25 is kept, 0.125 is not.
    expect(await scoreOf([1, 0.25, 0, 0.125], 'sparc')).toBe((1 + 0.25 ** 2) / 1.25);
  });

  it.each([
    ['INVALID_ARGUMENT', 'chamfer', {}],
    ['INVALID_ARGUMENT', 'toString', {}],
    ['INVALID_ARGUMENT', 'maxsim', { weight: [1] }],
    ['INVALID_ARGUMENT', 'filip', { weights: [1, 1] }],
    ['INVALID_ARGUMENT', 'maxsim', { weights: [1, -1] }],
    ['INVALID_ARGUMENT', 'maxsim', { weights: [1, Number.NaN] }],
    ['INVALID_ARGUMENT', 'mean-maxsim', { weights: [0, 0] }],
    ['LENGTH_MISMATCH', 'maxsim', { weights: [1] }],
    ['INVALID_ARGUMENT', 'top-mean', { most: 0 }],
    ['INVALID_ARGUMENT', 'filip', { direction: 'up' }],
    ['TEMPERATURE_INVALID', 'smooth-maxsim', { temperature: 0 }],
    ['TEMPERATURE_INVALID', 'pacl', { temperature: Number.POSITIVE_INFINITY }],
    ['TEMPERATURE_INVALID', 'flair', { temperature: '1' }],
    ['TEMPERATURE_INVALID', 'bi-isa', { temperature: -1 }],
    ['LENGTH_MISMATCH', 'bi-isa', { wordMixing: matrix(Float32Array.of(1), 1) }],
    ['LENGTH_MISMATCH', 'bi-isa', { patchMixing: matrix(Float32Array.of(1, 2), 1) }],
    ['NOT_FINITE', 'bi-isa', { overWordsMixing: matrix(Float32Array.of(1, 2, Number.NaN, 3), 2) }],
    ['INVALID_ARGUMENT', 'maxsim', { threads: -1 }],
    ['INVALID_ARGUMENT', 'maxsim', { signal: 'stop' }],
  ])('refuses with %s %s with %j', async (code, name, options) => {
    const query = matrix(Float32Array.of(1, 2), 1);
    const documents = { data: Float32Array.of(1), lengths: Uint32Array.of(1), columns: 1 };
    await expect(scoreDocuments(query, documents, name as never, options as never)).rejects.toMatchObject({
      code,
    });
  });

  it('refuses a query without vectors, lengths that do not add up and vectors that do not fit', async () => {
    const documents = { data: Float32Array.of(1, 2), lengths: Uint32Array.of(1), columns: 1 };
    const fitting = { ...documents, lengths: Uint32Array.of(2) };
    const one = matrix(Float32Array.of(1), 1);
    for (const [code, query, given] of [
      ['LENGTH_MISMATCH', one, documents],
      ['LENGTH_MISMATCH', matrix(new Float32Array(0), 1), fitting],
      ['LENGTH_MISMATCH', matrix(Float32Array.of(1, 1), 2), fitting],
      ['DIMENSION_INVALID', one, { ...fitting, columns: 0 }],
      ['DIMENSION_INVALID', one, { ...fitting, columns: 65_537 }],
      ['INVALID_ARGUMENT', one, { ...fitting, data: [1, 2] }],
      ['INVALID_ARGUMENT', one, { ...fitting, lengths: [2] }],
      ['LENGTH_MISMATCH', one, { ...fitting, lengths: Uint32Array.of(0xffff_ffff, 3) }],
    ] as const) {
      await expect(scoreDocuments(query, given as never, 'maxsim')).rejects.toMatchObject({ code });
    }
  });

  it('refuses more places than memory is taken for, before it takes any', async () => {
    const query = matrix(new Float32Array(70_000), 1);
    const many = { data: new Float32Array(0), lengths: new Uint32Array(4_000), columns: 1 };
    await expect(scoreDocuments(query, many, 'maxsim')).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    const long = { data: new Float32Array(4_000), lengths: Uint32Array.of(4_000), columns: 1 };
    await expect(scoreDocuments(query, long, 'maxsim')).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  });

  it('says which similarity is not finite, of the first document that has one', async () => {
    const query = matrix(Float32Array.of(1, 3e38), 1);
    const documents = {
      data: Float32Array.of(1, 0, 3e38, Number.NaN),
      lengths: Uint32Array.of(1, 2, 1),
      columns: 1,
    };
    for (const name of NAMES) {
      await expect(scoreDocuments(query, documents, name)).rejects.toMatchObject({
        code: 'NOT_FINITE',
        details: { row: 1, column: 1 },
      });
    }
  });

  it('of no documents there are no scores, and of a number that is none no matches', async () => {
    const query = matrix(Float32Array.of(1), 1);
    const none = { data: new Float32Array(0), lengths: new Uint32Array(0), columns: 1 };
    const scored = await scoreDocuments(query, none, 'pacl');
    expect([scored.scores.length, scored.matches(0)]).toEqual([0, undefined]);
    const one = await scoreDocuments(query, { ...none, lengths: Uint32Array.of(0) }, 'pacl');
    expect([one.matches(-1), one.matches(1)]).toEqual([undefined, undefined]);
  });

  it('refuses weights of groups that count nothing', async () => {
    for (const group of [
      { vectors: -1, weight: 1 },
      { vectors: 1, weight: -1 },
      { vectors: 1.5, weight: 1 },
    ]) {
      expect(() => groupWeights([group])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});

/** The score of one query vector and a document with these similarities. */
async function scoreOf(similarities: number[], name: MultiVectorScoreName): Promise<number> {
  const documents = {
    data: Float32Array.from(similarities),
    lengths: Uint32Array.of(similarities.length),
    columns: 1,
  };
  return (await scoreDocuments(matrix(Float32Array.of(1), 1), documents, name)).scores[0]!;
}

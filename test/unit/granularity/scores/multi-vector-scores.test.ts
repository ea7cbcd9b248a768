import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  flair,
  groupWeights,
  MULTI_VECTOR_SCORES,
  type MultiVectorScoreName,
  maxSim,
  pacl,
  scoreDocuments,
  smoothMaxSim,
  sparc,
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
    (name) => {
      const { options, score } = DEFINITIONS[name];
      fc.assert(
        fc.property(cases, ({ query, documents }) => {
          const columns = query[0]!.length;
          const q = matrix(Float32Array.from(query.flat()), columns);
          const { scores, matches } = scoreDocuments(
            q,
            collection(documents, columns),
            name,
            options as never,
          );
          expect(scores).toHaveLength(documents.length);
          for (const [document, vectors] of documents.entries()) {
            const { vectors: best, similarities } = matches[document]!;
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
    const { scores, matches } = scoreDocuments(query, { data, lengths, columns: dimension }, 'maxsim');
    const index = new MultiVectorIndex({ dimension });
    await index.add(data, lengths);
    const hits = await index.search(query, { k: 30, explain: true });
    for (const [place, row] of hits.rows.entries()) {
      expect(Math.fround(scores[row]!)).toBe(hits.scores[place]);
      expect(matches[row]).toEqual(hits.matches(0, place));
    }
    index.dispose();
  });

  it('does not raise a similarity below 0 to that of padding', () => {
    const query = matrix(Float32Array.of(1, 0, 0, 1), 2);
    const documents = {
      data: Float32Array.of(-1, -1, -0.5, -0.5, -0.25, -0.75),
      lengths: Uint32Array.of(2, 1),
      columns: 2,
    };
    expect([...scoreDocuments(query, documents, 'maxsim').scores]).toEqual([-1, -1]);
    expect([...scoreDocuments(query, documents, 'mean-maxsim').scores]).toEqual([-0.5, -0.5]);
    expect([...scoreDocuments(query, documents, 'filip').scores]).toEqual([-0.625, -0.375]);
    expect([...scoreDocuments(query, documents, 'sparc').scores]).toEqual([-0.5, -0.5]);
  });

  it('does not let a document gain by the length of another', () => {
    const query = matrix(new Seeded(1).normal(3 * 5), 5);
    const vectors = new Seeded(4).normal(9 * 5);
    for (const name of NAMES) {
      const both = { data: vectors, lengths: Uint32Array.of(2, 7), columns: 5 };
      const alone = { data: vectors.subarray(0, 10), lengths: Uint32Array.of(2), columns: 5 };
      expect(scoreDocuments(query, both, name).scores[0]).toBe(scoreDocuments(query, alone, name).scores[0]);
    }
  });

  it('of one query vector and one document vector every score but flair is their similarity', () => {
    const tile = matrix(Float32Array.of(0.75), 1);
    for (const name of NAMES) {
      const score = MULTI_VECTOR_SCORES[name](tile);
      if (name === 'flair') expect(score).toBeCloseTo((0.75 * Math.exp(7.5)) / (1 + Math.exp(7.5)), 12);
      else expect(score).toBeCloseTo(0.75, 12);
    }
  });

  it('weighs query vectors, and a mean by the sum of the weights', () => {
    const query = matrix(Float32Array.of(1, 0, 0, 1, 1, 1), 2);
    const documents = { data: Float32Array.of(3, 1, 0, 2), lengths: Uint32Array.of(2), columns: 2 };
    const weights = groupWeights([
      { vectors: 1, weight: 2 },
      { vectors: 0, weight: 9 },
      { vectors: 2, weight: 0.5 },
    ]);
    expect([...weights]).toEqual([2, 0.5, 0.5]);
    const expected = 2 * 3 + 0.5 * 2 + 0.5 * 4;
    expect([...scoreDocuments(query, documents, 'maxsim', { weights }).scores]).toEqual([expected]);
    expect([...scoreDocuments(query, documents, 'mean-maxsim', { weights }).scores]).toEqual([expected / 3]);
    expect(scoreDocuments(query, documents, 'top-mean', { weights, most: 1 }).scores[0]).toBe(expected);
    expect(
      scoreDocuments(query, documents, 'smooth-maxsim', { weights, temperature: 0.01 }).scores[0],
    ).toBeCloseTo(expected, 6);
  });

  it('filip gives each direction alone', () => {
    const query = matrix(Float32Array.of(1, 0), 2);
    const documents = { data: Float32Array.of(1, 0, -1, 0), lengths: Uint32Array.of(2), columns: 2 };
    const scores = (['query-to-document', 'document-to-query', 'both'] as const).map(
      (direction) => scoreDocuments(query, documents, 'filip', { direction }).scores[0],
    );
    expect(scores).toEqual([1, 0, 0.5]);
  });

  it('a smooth maximum lies between the maximum and t ln n_d more, for large similarities too', () => {
    const tile = matrix(Float32Array.of(3000, 2999, -3000), 3);
    const smooth = smoothMaxSim(tile);
    expect(smooth).toBeGreaterThanOrEqual(3000);
    expect(smooth).toBeLessThanOrEqual(3000 + 0.1 * Math.log(3));
    expect(smoothMaxSim(matrix(Float32Array.of(2, 2, 2), 3))).toBeCloseTo(2 + 0.1 * Math.log(3), 12);
  });

  it('a text that fits no patch attends to the empty key', () => {
    const tile = matrix(Float32Array.of(-1, -0.9), 2);
    expect(flair(tile)).toBeCloseTo(0, 3);
    expect(pacl(tile)).toBeLessThan(-0.9);
  });

  it('sparc drops what lies below 1 / P of the range and keeps what lies on it', () => {
    // Of four patches the threshold is a quarter: 0.25 is kept, 0.125 is not.
    const kept = [1, 0.25, 0, 0.125];
    expect(sparc(matrix(Float32Array.from(kept), 4))).toBe((1 + 0.25 ** 2) / 1.25);
  });

  it.each([
    ['INVALID_ARGUMENT', 'chamfer', {}],
    ['INVALID_ARGUMENT', 'toString', {}],
    ['INVALID_ARGUMENT', 'maxsim', { weight: [1] }],
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
  ])('refuses with %s %s with %j', (code, name, options) => {
    const query = matrix(Float32Array.of(1, 2), 1);
    const documents = { data: Float32Array.of(1), lengths: Uint32Array.of(1), columns: 1 };
    expect(() => scoreDocuments(query, documents, name as never, options as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each(NAMES)('%s refuses a query without vectors, and lengths that do not add up', (name) => {
    const documents = { data: Float32Array.of(1, 2), lengths: Uint32Array.of(1), columns: 1 };
    const wrong = expect.objectContaining({ code: 'LENGTH_MISMATCH' });
    expect(() => scoreDocuments(matrix(Float32Array.of(1), 1), documents, name)).toThrow(wrong);
    const fitting = { ...documents, lengths: Uint32Array.of(2) };
    expect(() => scoreDocuments(matrix(new Float32Array(0), 1), fitting, name)).toThrow(wrong);
    expect(() => MULTI_VECTOR_SCORES[name]({ data: new Float32Array(0), rows: 0, columns: 2 })).toThrow(
      wrong,
    );
    expect(() => scoreDocuments(matrix(Float32Array.of(1, 1), 2), { ...fitting, columns: 1 }, name)).toThrow(
      wrong,
    );
  });

  it('refuses weights of groups that count nothing', () => {
    for (const group of [
      { vectors: -1, weight: 1 },
      { vectors: 1, weight: -1 },
      { vectors: 1.5, weight: 1 },
    ]) {
      expect(() => groupWeights([group])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(
      maxSim(matrix(Float32Array.of(1), 1), { weights: groupWeights([{ vectors: 1, weight: 3 }]) }),
    ).toBe(3);
  });
});

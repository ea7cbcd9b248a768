import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { NgramTextEncoder } from '../../../../src/encoders/ngram/ngram-text-encoder.js';
import { matrixRow } from '../../../../src/vectors/matrix.js';

const PASSAGES = [
  'Robin. The robin is a small songbird with an orange breast.',
  'Blue whale. The blue whale is the largest animal that has ever lived.',
  'Eiffel Tower. The tower is 330 metres tall and stands in Paris.',
  'Paris. The capital of France lies on the Seine; the Eiffel Tower stands there.',
];
const encoder = new NgramTextEncoder({ dimension: 512 });

beforeAll(() => encoder.fit(PASSAGES));

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

describe('vectors', () => {
  test('have norm 1, or 0 for a text without a word', async () => {
    const { vectors } = await encoder.encodePassages([...PASSAGES, '', '?!']);
    const norms = Array.from({ length: vectors.rows }, (_, row) =>
      dot(matrixRow(vectors, row), matrixRow(vectors, row)),
    );
    expect(norms.map((norm) => Number(norm.toFixed(5)))).toEqual([1, 1, 1, 1, 0, 0]);
  });

  test('are finite for any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
        const passages = await encoder.encodePassages([text]);
        const queries = await encoder.encodeQueries([text]);
        return passages.vectors.data.every(Number.isFinite) && queries.vectors.data.every(Number.isFinite);
      }),
      { numRuns: 50 },
    );
  });

  test('do not depend on the batch', async () => {
    const together = await encoder.encodeQueries(PASSAGES);
    const alone = await encoder.encodeQueries([PASSAGES[2]!]);
    expect(matrixRow(together.vectors, 2)).toEqual(alone.vectors.data);
  });

  test('of a query lie nearest to the passage that it is about', async () => {
    const { vectors: passages } = await encoder.encodePassages(PASSAGES);
    for (const [query, expected] of [
      ['how tall is the tower?', 2],
      ['LARGEST ANIMALS', 1],
      ['a songbird’s breast', 0],
      ['capital of france', 3],
      ['eifel towr', 2],
    ] as const) {
      const { vectors } = await encoder.encodeQueries([query]);
      const scores = PASSAGES.map((_, row) => dot(vectors.data, matrixRow(passages, row)));
      expect(scores.indexOf(Math.max(...scores)), query).toBe(expected);
    }
  });

  test('give the heading more weight than the text', async () => {
    const { vectors: passages } = await encoder.encodePassages(PASSAGES);
    const { vectors } = await encoder.encodeQueries(['Paris']);
    expect(dot(vectors.data, matrixRow(passages, 3))).toBeGreaterThan(
      dot(vectors.data, matrixRow(passages, 2)),
    );
  });

  test('of a query leave out what no passage has', async () => {
    const { vectors } = await encoder.encodeQueries(['robin', 'robin zzz qqq']);
    const [plain, more] = [matrixRow(vectors, 0), matrixRow(vectors, 1)];
    expect(dot(plain, more)).toBeCloseTo(1, 5);
  });
});

describe('the fitted state', () => {
  test('restores to the same vectors', async () => {
    const other = new NgramTextEncoder({ dimension: 512 });
    other.restore(encoder.state());
    expect(await other.encodeQueries(PASSAGES)).toEqual(await encoder.encodeQueries(PASSAGES));
  });

  test('is refused where it is damaged, truncated or something else', () => {
    const state = encoder.state();
    const flipped = Uint8Array.from(state);
    flipped[1000]! ^= 1;
    const version = Uint8Array.from(state);
    version[8] = 99;
    for (const bad of [flipped, version, state.subarray(0, 100), state.subarray(0, 10), new Uint8Array(0)]) {
      const other = new NgramTextEncoder();
      expect(() => other.restore(bad)).toThrowError(expect.objectContaining({ code: 'CORPUS_INVALID' }));
    }
  });

  test('is needed before encoding', async () => {
    const fresh = new NgramTextEncoder();
    await expect(fresh.encodeQueries(['x'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => fresh.state()).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => fresh.fit([])).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

test('bad options are refused', () => {
  for (const dimension of [0, -1, 1.5, Number.NaN]) {
    expect(() => new NgramTextEncoder({ dimension })).toThrowError(
      expect.objectContaining({ code: 'DIMENSION_INVALID' }),
    );
  }
  expect(() => new NgramTextEncoder({ queryWeights: { word: -1, bigram: 0, characters: 0 } })).toThrowError(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

test('an aborted signal stops the encoding', async () => {
  await expect(encoder.encodePassages(PASSAGES, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
});

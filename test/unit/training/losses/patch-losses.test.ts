import { describe, expect, it } from 'vitest';
import {
  type MultiVectorScoreName,
  type MultiVectorScoreOptions,
  scoreDocuments,
} from '../../../../src/granularity/index.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { inBatchContrast } from '../../../../src/training/losses/in-batch-contrast.js';
import { filipScore, maxSimScore } from '../../../../src/training/losses/patches/best-match-scores.js';
import { paclScore } from '../../../../src/training/losses/patches/pacl-score.js';
import { type PatchScore, patchContrast } from '../../../../src/training/losses/patches/patch-contrast.js';
import { sparcContrast, sparcFineContrast } from '../../../../src/training/losses/patches/sparc-contrast.js';
import { sparcScore } from '../../../../src/training/losses/patches/sparc-score.js';
import type { PairScore, VectorSet } from '../../../../src/training/losses/patches/vector-sets.js';
import {
  closeTo,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  plainSoftmax,
} from './finite-differences.js';

const COLUMNS = 4;
const code = (expected: string) => expect.objectContaining({ code: expected });
const set = (data: Float64Array): VectorSet => ({ data, columns: COLUMNS });
const vectors = (random: SeededRandom, rows: number, scale = 0.5) => normals(random, rows * COLUMNS, scale);
const rowsOf = ({ data, columns }: VectorSet): number[][] =>
  Array.from({ length: data.length / columns }, (_, i) =>
    Array.from(data.slice(i * columns, (i + 1) * columns)),
  );
const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, d) => sum + x * b[d]!, 0);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const unit = (x: readonly number[]) => x.map((value) => value / Math.sqrt(product(x, x)));
const weighted = (weights: readonly number[], rows: readonly number[][]) =>
  rows[0]!.map((_, d) => weights.reduce((sum, weight, j) => sum + weight * rows[j]![d]!, 0));

/** Weights of SPARC as the paper has them: to [0, 1], those below 1 / patches away, divided by their sum. */
function sparcWeights(similarities: readonly number[]): number[] {
  const [most, least] = [Math.max(...similarities), Math.min(...similarities)];
  if (most === least) return similarities.map(() => 1 / similarities.length);
  const shares = similarities.map((s) => (s - least) / (most - least));
  const kept = shares.map((share) => (share < 1 / shares.length ? 0 : share));
  return kept.map((share) => share / kept.reduce((a, b) => a + b, 0));
}

type Score = (words: VectorSet, patches: VectorSet) => PairScore;

type SearchScore = readonly [MultiVectorScoreName, MultiVectorScoreOptions<MultiVectorScoreName>?];

/** Scores by pooled vectors, word after word; and the engine's score that is the same. */
const SCORES: readonly [string, Score, (u: number[][], v: number[][]) => number, SearchScore][] = [
  [
    'maxSimScore',
    maxSimScore,
    (u, v) => u.reduce((sum, word) => sum + Math.max(...v.map((patch) => product(word, patch))), 0),
    ['maxsim'],
  ],
  [
    'filipScore, text to image',
    (u, v) => filipScore(u, v, 'text-to-image'),
    (u, v) => mean(u.map((word) => Math.max(...v.map((patch) => product(word, patch))))),
    ['filip', { direction: 'query-to-document' }],
  ],
  [
    'filipScore, image to text',
    (u, v) => filipScore(u, v, 'image-to-text'),
    (u, v) => mean(v.map((patch) => Math.max(...u.map((word) => product(word, patch))))),
    ['filip', { direction: 'document-to-query' }],
  ],
  [
    'paclScore',
    (u, v) => paclScore(u, v, { temperature: 0.3 }),
    (u, v) =>
      mean(
        u.map((word) =>
          product(
            word,
            weighted(
              plainSoftmax(
                v.map((x) => product(word, x)),
                0.3,
              ),
              v,
            ),
          ),
        ),
      ),
    ['pacl', { temperature: 0.3 }],
  ],
  [
    'sparcScore',
    sparcScore,
    (u, v) => mean(u.map((word) => product(word, weighted(sparcWeights(v.map((x) => product(word, x))), v)))),
    ['sparc'],
  ],
];

describe.each(SCORES)('%s', (name, score, slow, [searched, options]) => {
  it('is its formula with the gradients of finite differences', () => {
    for (const seed of [1, 2, 3]) {
      for (const [words, patches] of [
        [1, 1],
        [1, 7],
        [2, 1],
        [3, 5],
      ] as const) {
        const random = new SeededRandom(`${seed} ${words} ${patches}`);
        const [u, v] = [vectors(random, words), vectors(random, patches)];
        const found = score(set(u), set(v));
        closeTo(found.score, slow(rowsOf(set(u)), rowsOf(set(v))));
        const step = { step: 1e-4 };
        expectGradient((x) => score(set(x), set(v)).score, u, found.wordGradient, step);
        expectGradient((x) => score(set(u), set(x)).score, v, found.patchGradient, step);
        if (name !== 'paclScore') expect(found.temperatureGradient).toBe(0);
      }
    }
  });

  it('is the score that searches use', async () => {
    const random = new SeededRandom(9);
    const [u, v] = [Float32Array.from(vectors(random, 3)), Float32Array.from(vectors(random, 6))];
    const engine = await scoreDocuments(
      { data: u, rows: 3, columns: COLUMNS },
      { data: v, lengths: Uint32Array.of(6), columns: COLUMNS },
      searched,
      options,
    );
    const found = score({ data: u, columns: COLUMNS }, { data: v, columns: COLUMNS });
    closeTo(found.score, engine.scores[0]!, 1e-6);
  });

  it('stands similarities of 1e3 and equal patches', () => {
    const word = set(Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0));
    const far = set(Float64Array.of(1e3, -1e3, 0, 0, -1e3, 1e3, 0, 0, 0.5, 0, 1, 1));
    for (const patches of [far, set(new Float64Array(12).fill(0.5))]) {
      const found = score(word, patches);
      expectFinite([found.score, ...found.wordGradient, ...found.patchGradient, found.temperatureGradient]);
    }
    const found = score(word, far);
    const options = { step: 1e-4, magnitude: 1e3 };
    expectGradient((x) => score(set(x), far).score, word.data as Float64Array, found.wordGradient, options);
    expectGradient((x) => score(word, set(x)).score, far.data as Float64Array, found.patchGradient, options);
  });

  it('refuses NaN, no vectors and other dimensions', () => {
    const u = set(new Float64Array(COLUMNS));
    expect(() => score(u, set(Float64Array.of(1, 2, Number.NaN, 4)))).toThrow(code('NOT_FINITE'));
    expect(() => score(u, set(new Float64Array(0)))).toThrow(code('LENGTH_MISMATCH'));
    expect(() => score(u, set(new Float64Array(5)))).toThrow(code('LENGTH_MISMATCH'));
    expect(() => score(u, { data: new Float64Array(3), columns: 3 })).toThrow(code('LENGTH_MISMATCH'));
    const flat = { data: new Float64Array(4), columns: 0 };
    expect(() => score(flat, flat)).toThrow(code('DIMENSION_INVALID'));
    const huge = set(new Float64Array(COLUMNS).fill(1e200));
    expect(() => score(huge, huge)).toThrow(code('NOT_FINITE'));
  });
});

describe('scores of words and patches', () => {
  it('give the first of equal matches the gradient', () => {
    const [u, v] = [set(Float64Array.of(1, 0, 0, 0)), set(Float64Array.of(2, 0, 0, 0, 2, 1, 0, 0))];
    expect([...maxSimScore(u, v).patchGradient]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect([...maxSimScore(u, v).wordGradient]).toEqual([2, 0, 0, 0]);
  });

  it('have a derivative by the temperature of attention', () => {
    const random = new SeededRandom(3);
    const [u, v] = [set(vectors(random, 3)), set(vectors(random, 6))];
    const { temperatureGradient } = paclScore(u, v, { temperature: 0.3 });
    expectDerivative((temperature) => paclScore(u, v, { temperature }).score, 0.3, temperatureGradient);
    expect(temperatureGradient).toBeLessThan(0);
  });
});

describe('sparcFineContrast', () => {
  /** The fine loss by pooled vectors, from a matrix of cosines. */
  function slow(u: number[][], v: number[][], temperature: number): number {
    const groups = u.map((word) => unit(weighted(sparcWeights(v.map((x) => product(word, x))), v)));
    const cosines = u.map((word) => groups.map((group) => product(unit(word), group)));
    const columns = groups.map((_, k) => cosines.map((row) => row[k]!));
    const crossEntropy = (matrix: number[][]) =>
      mean(matrix.map((row, i) => -Math.log(plainSoftmax(row, temperature)[i]!)));
    return (crossEntropy(cosines) + crossEntropy(columns)) / 2;
  }

  it('is its formula with the gradients of finite differences', () => {
    for (const seed of [1, 2, 3]) {
      for (const [words, patches] of [
        [1, 3],
        [2, 2],
        [3, 7],
      ] as const) {
        const random = new SeededRandom(`fine ${seed} ${words}`);
        const [u, v] = [vectors(random, words), vectors(random, patches)];
        const loss = (x: Float64Array, y: Float64Array, temperature = 0.2) =>
          sparcFineContrast(set(x), set(y), { temperature }).loss;
        const found = sparcFineContrast(set(u), set(v), { temperature: 0.2 });
        closeTo(found.loss, slow(rowsOf(set(u)), rowsOf(set(v)), 0.2));
        expectGradient((x) => loss(x, v), u, found.wordGradient, { step: 3e-5, magnitude: 10 });
        expectGradient((y) => loss(u, y), v, found.patchGradient, { step: 3e-5, magnitude: 10 });
        expectDerivative((t) => loss(u, v, t), 0.2, found.temperatureGradient);
      }
    }
  });

  it('stands words and groups of zero, and patches that are all alike', () => {
    const random = new SeededRandom(1);
    const zero = set(new Float64Array(8));
    for (const [u, v] of [
      [zero, set(vectors(random, 3))],
      [set(vectors(random, 2)), zero],
    ] as const) {
      const found = sparcFineContrast(u, v);
      expectFinite([found.loss, ...found.wordGradient, ...found.patchGradient]);
    }
    closeTo(sparcFineContrast(set(vectors(random, 2)), zero).loss, Math.LN2);
  });
});

describe('sparcContrast', () => {
  it('adds the contrast within pairs to that of the batch, with the gradients of finite differences', () => {
    const random = new SeededRandom(6);
    const pairs = [2, 3].map((rows) => ({
      words: set(vectors(random, rows)),
      patches: set(vectors(random, 4)),
    }));
    const scores = normals(random, 4);
    const options = { globalWeight: 0.5, fineWeight: 2, globalTemperature: 0.7, fineTemperature: 0.3 };
    const found = sparcContrast(scores, pairs, options);
    const fine = pairs.map(
      ({ words, patches }) => sparcFineContrast(words, patches, { temperature: 0.3 }).loss,
    );
    const whole = inBatchContrast(scores, { queries: 2, temperature: 0.7 }).loss;
    closeTo(found.loss, 0.5 * whole + 2 * mean(fine));
    const step = { step: 3e-5, magnitude: 10 };
    expectGradient((s) => sparcContrast(s, pairs, options).loss, scores, found.globalGradient);
    for (const side of ['words', 'patches'] as const) {
      const gradients = side === 'words' ? found.wordGradients : found.patchGradients;
      for (const [i, pair] of pairs.entries()) {
        const loss = (x: Float64Array) =>
          sparcContrast(scores, pairs.with(i, { ...pair, [side]: set(x) }), options).loss;
        expectGradient(loss, pair[side].data as Float64Array, gradients[i]!, step);
      }
    }
    const at = (name: string) => (t: number) => sparcContrast(scores, pairs, { ...options, [name]: t }).loss;
    expectDerivative(at('globalTemperature'), 0.7, found.globalTemperatureGradient);
    expectDerivative(at('fineTemperature'), 0.3, found.fineTemperatureGradient);
    expect(() => sparcContrast(scores, pairs.slice(1))).toThrow(code('LENGTH_MISMATCH'));
  });
});

describe.each(['filip', 'max-sim', 'pacl', 'sparc'] as const)(
  'patchContrast over %s',
  (score: PatchScore) => {
    const options = { score, temperature: 0.4, attentionTemperature: 0.3 };

    function batch(seed: string, images: number) {
      const random = new SeededRandom(seed);
      return {
        texts: [1, 3].map((rows) => vectors(random, rows)),
        images: Array.from({ length: images }, (_, i) => vectors(random, i + 2)),
      };
    }

    const contrast = (texts: readonly Float64Array[], images: readonly Float64Array[], more = {}) =>
      patchContrast(texts.map(set), images.map(set), { ...options, ...more });

    it('has the gradients of finite differences', () => {
      for (const seed of ['1', '2']) {
        const { texts, images } = batch(seed, score === 'filip' ? 2 : 3);
        const found = contrast(texts, images);
        const step = { step: 1e-4, magnitude: 10 };
        for (const [i, words] of texts.entries()) {
          expectGradient(
            (x) => contrast(texts.with(i, x), images).loss,
            words,
            found.wordGradients[i]!,
            step,
          );
        }
        for (const [j, patches] of images.entries()) {
          expectGradient(
            (x) => contrast(texts, images.with(j, x)).loss,
            patches,
            found.patchGradients[j]!,
            step,
          );
        }
        const at = (name: string) => (t: number) => contrast(texts, images, { [name]: t }).loss;
        expectDerivative(at('temperature'), 0.4, found.temperatureGradient);
        expectDerivative(at('attentionTemperature'), 0.3, found.attentionTemperatureGradient);
      }
    });

    it('is the contrast of the scores of all pairs', () => {
      const { texts, images } = batch('5', 2);
      const matrix = (pair: Score) =>
        Float64Array.from(texts.flatMap((u) => images.map((v) => pair(set(u), set(v)).score)));
      const rows = { queries: 2, temperature: 0.4 };
      const loss = (pair: Score) => inBatchContrast(matrix(pair), rows).loss;
      const expected = {
        // Each direction in the similarity of its own side.
        filip: () =>
          (inBatchContrast(
            matrix((u, v) => filipScore(u, v, 'text-to-image')),
            {
              ...rows,
              direction: 'query-to-document',
            },
          ).loss +
            inBatchContrast(
              matrix((u, v) => filipScore(u, v, 'image-to-text')),
              {
                ...rows,
                direction: 'document-to-query',
              },
            ).loss) /
          2,
        'max-sim': () => loss(maxSimScore),
        pacl: () => loss((u, v) => paclScore(u, v, { temperature: 0.3 })),
        sparc: () => loss(sparcScore),
      };
      closeTo(contrast(texts, images).loss, expected[score]());
    });

    it('refuses more texts than images', () => {
      const { texts, images } = batch('1', 2);
      expect(() => contrast(texts, images.slice(1))).toThrow(code('LENGTH_MISMATCH'));
      expect(() => contrast([], images)).toThrow(code('LENGTH_MISMATCH'));
      if (score === 'filip') {
        expect(() => contrast(texts.slice(1), images)).toThrow(code('LENGTH_MISMATCH'));
      }
    });
  },
);

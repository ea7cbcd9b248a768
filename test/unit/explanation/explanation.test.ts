import { describe, expect, it } from 'vitest';
import {
  contrastiveMatches,
  deletionCurve,
  evidenceOrder,
  insertionCurve,
  tokenMatches,
} from '../../../src/explanation/index.js';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { product, slowMaxSim, smallMatrix } from './small-vectors.js';

const query = smallMatrix(4, 11, 1);
const document = smallMatrix(9, 11, 2);
const other = smallMatrix(6, 11, 3);
const everyRow = [...Array(document.rows).keys()];

describe('tokenMatches', () => {
  it('finds the matches and the score of an index, bit for bit', async () => {
    const index = new MultiVectorIndex({ dimension: 11 });
    await index.add(document, Uint32Array.of(9));
    const hits = await index.search(query, { k: 1, explain: true });
    const found = tokenMatches(query, document);
    const { vectors, similarities } = hits.matches(0, 0)!;
    expect(found.rows).toEqual(vectors);
    expect(found.similarities).toEqual(similarities);
    expect(Math.fround(found.score)).toBe(hits.scores[0]);
    index.dispose();
  });

  it('gives each match the quadrilateral of its patch, and the first of equal patches', () => {
    const quads = Float32Array.from({ length: 9 * 8 }, (_, i) => i);
    const { rows, quads: matched } = tokenMatches(query, document, quads);
    for (const [i, row] of rows.entries()) {
      expect([...matched!.subarray(i * 8, i * 8 + 8)]).toEqual([...quads.subarray(row * 8, row * 8 + 8)]);
    }
    const twice = matrix(Float32Array.of(1, 0, 1, 0), 2);
    expect([...tokenMatches(matrix(Float32Array.of(1, 1), 2), twice).rows]).toEqual([0]);
    expect(tokenMatches(query, document).quads).toBeUndefined();
  });

  it.each([
    ['EMPTY_DOCUMENT', () => tokenMatches(query, matrix(new Float32Array(0), 11))],
    ['LENGTH_MISMATCH', () => tokenMatches(matrix(new Float32Array(0), 11), document)],
    ['LENGTH_MISMATCH', () => tokenMatches(query, smallMatrix(2, 10, 1))],
    ['LENGTH_MISMATCH', () => tokenMatches(query, document, new Float32Array(8))],
    ['NOT_FINITE', () => tokenMatches(query, matrix(new Float32Array(11).fill(Number.NaN), 11))],
    [
      'NOT_FINITE',
      () => contrastiveMatches(query, document, matrix(new Float32Array(11).fill(Infinity), 11)),
    ],
    ['ROW_NOT_FOUND', () => deletionCurve(query, document, Uint32Array.of(9))],
    ['INVALID_ARGUMENT', () => insertionCurve(query, document, Uint32Array.of(1, 1))],
  ])('refuses with %s what makes no sense: %s', (code, call) => {
    expect(call).toThrow(expect.objectContaining({ code }));
  });
});

describe('contrastiveMatches', () => {
  it('divides the difference of the scores among the query vectors', () => {
    const { differences, scoreDifference, order } = contrastiveMatches(query, document, other);
    for (let i = 0; i < query.rows; i++) {
      const best = (of: typeof document) =>
        Math.max(...Array.from({ length: of.rows }, (_, j) => product(query, i, of, j)));
      expect(differences[i]).toBeCloseTo(best(document) - best(other), 6);
    }
    expect(scoreDifference).toBeCloseTo(
      slowMaxSim(query, document, everyRow) - slowMaxSim(query, other, [0, 1, 2, 3, 4, 5]),
      5,
    );
    const sorted = Array.from(order, (i) => differences[i]!);
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
    expect([...order].sort()).toEqual([0, 1, 2, 3]);
  });

  it('finds nothing between a document and itself, and the opposite the other way round', () => {
    expect([...contrastiveMatches(query, document, document).differences]).toEqual([0, 0, 0, 0]);
    const there = contrastiveMatches(query, document, other).differences;
    const back = contrastiveMatches(query, other, document).differences;
    expect([...back]).toEqual(Array.from(there, (difference) => -difference));
  });
});

describe('deletion and insertion', () => {
  const order = Uint32Array.of(4, 0, 8, 2, 6, 1, 3, 7, 5);

  it.each([9, 4, 0])('are MaxSim of what is left and of what has come, %i vectors long', (length) => {
    const part = order.subarray(0, length);
    const gone = deletionCurve(query, document, part).scores;
    const come = insertionCurve(query, document, part).scores;
    for (let m = 0; m <= length; m++) {
      const first = [...part.subarray(0, m)];
      expect(gone[m]).toBeCloseTo(
        slowMaxSim(
          query,
          document,
          everyRow.filter((row) => !first.includes(row)),
        ),
        5,
      );
      expect(come[m]).toBeCloseTo(slowMaxSim(query, document, first), 5);
    }
    expect(gone).toHaveLength(length + 1);
  });

  it('have the mean height as area', () => {
    const { scores, area } = insertionCurve(query, document, order);
    const slow = scores.reduce((sum, score, m) => sum + score * (m === 0 || m === 9 ? 0.5 : 1), 0) / 9;
    expect(area).toBeCloseTo(slow, 12);
    expect(deletionCurve(query, document, new Uint32Array(0)).area).toBe(tokenMatches(query, document).score);
  });

  it('prefer the evidence to its reverse', () => {
    const evidence = evidenceOrder(query, document);
    const reverse = evidence.slice().reverse();
    expect(deletionCurve(query, document, evidence).area).toBeLessThan(
      deletionCurve(query, document, reverse).area,
    );
    expect(insertionCurve(query, document, evidence).area).toBeGreaterThan(
      insertionCurve(query, document, reverse).area,
    );
    // What no query vector matches is no evidence, and comes by row at the end.
    const matched = new Set(tokenMatches(query, document).rows);
    expect([...evidence.subarray(matched.size)]).toEqual(everyRow.filter((row) => !matched.has(row)));
  });
});

import { describe, expect, it } from 'vitest';
import {
  calibrateModalities,
  fuseRoute,
  modalityCentroids,
  modalityStatistics,
  routeByModality,
} from '../../../src/composition/index.js';
import { reciprocalRankFusion } from '../../../src/fusion/reciprocal-rank-fusion.js';
import { rankedList } from '../../../src/ranking/ranked-list.js';
import { matrix, matrixRow } from '../../../src/vectors/matrix.js';

const code = (name: string) => expect.objectContaining({ code: name });
const queries = matrix(Float32Array.of(1, 0, 3, 4, 0, 2, 0, 1), 2);
const learnt = modalityCentroids(queries, ['image', 'image', 'text', 'text']);

describe('routing by modality', () => {
  it('learns the directions of the mean of unit vectors', () => {
    expect(learnt.modalities).toEqual(['image', 'text']);
    // (1, 0) + (0.6, 0.8): the second counts as much as the first, for all its length.
    expect(matrixRow(learnt.centroids, 0)[0]).toBeCloseTo(2 / Math.sqrt(5), 6);
    expect([...matrixRow(learnt.centroids, 1)]).toEqual([0, 1]);
  });

  it('goes to the likeliest modality by the softmax of the cosines', () => {
    const route = routeByModality(Float32Array.of(10, 1), learnt, { temperature: 0.5 });
    const length = Math.sqrt(101);
    const cosines = [(10 * 2 + 1) / Math.sqrt(5) / length, 1 / length];
    const terms = cosines.map((cosine) => Math.exp(cosine / 0.5));
    expect(route.probabilities[0]).toBeCloseTo(terms[0]! / (terms[0]! + terms[1]!), 6);
    expect(route.modalities).toEqual(['image']);
  });

  it('asks all modalities where it is not sure, the same ones each time, and fuses them by rank', () => {
    const between = Float32Array.of(0.2, 0.9);
    const options = { temperature: 5, confidence: 0.9 };
    const route = routeByModality(between, learnt, options);
    expect(route.modalities).toEqual(['text', 'image']);
    for (let again = 0; again < 20; again++) expect(routeByModality(between, learnt, options)).toEqual(route);
    const lists = { image: rankedList([1, 2], [0.3, 0.2]), text: rankedList([7, 2], [30, 20]) };
    expect(fuseRoute(route, lists)).toEqual(reciprocalRankFusion([lists.text, lists.image]));
    expect(fuseRoute({ ...route, modalities: ['image'] }, lists)).toBe(lists.image);
    expect(fuseRoute({ ...route, modalities: ['sound'] }, lists).rows).toHaveLength(0);
  });

  it('refuses what has no direction or does not fit', () => {
    expect(() => routeByModality(new Float32Array(2), learnt)).toThrow(code('NOT_FINITE'));
    expect(() => modalityCentroids(matrix(Float32Array.of(1, 0, -1, 0), 2), ['a', 'a'])).toThrow(
      code('NOT_FINITE'),
    );
    expect(() => modalityCentroids(queries, ['a'])).toThrow(code('LENGTH_MISMATCH'));
    expect(() => routeByModality(Float32Array.of(1), learnt)).toThrow(code('LENGTH_MISMATCH'));
    const query = Float32Array.of(1, 0);
    expect(() => routeByModality(query, learnt, { confidence: 2 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => routeByModality(query, learnt, { temperature: 0 })).toThrow(code('TEMPERATURE_INVALID'));
  });
});

describe('calibration of modalities', () => {
  const statistics = modalityStatistics({
    image: [rankedList([0, 1], [0.2, 0.3]), rankedList([2], [0.4])],
    text: [rankedList([10, 11, 12], [10, 20, 60])],
  });

  it('keeps mean and deviation of all of a modality', () => {
    expect(statistics['image']!.mean).toBeCloseTo(0.3, 15);
    expect(statistics['text']!.deviation).toBeCloseTo(Math.sqrt((400 + 100 + 900) / 3), 12);
  });

  it('merges by how far a score is from what its modality usually has', () => {
    const lists = { image: rankedList([1, 2], [0.45, 0.2]), text: rankedList([12, 10], [40, 31]) };
    const merged = calibrateModalities(lists, statistics);
    const expected = [
      ...[0.45, 0.2].map((s) => (s - 0.3) / statistics['image']!.deviation),
      ...[40, 31].map((s) => (s - 30) / statistics['text']!.deviation),
    ];
    for (const [i, row] of [1, 2, 12, 10].entries()) {
      expect(merged.scores[merged.rows.indexOf(row)]).toBeCloseTo(expected[i]!, 12);
    }
    // The image stands first although every text has a greater score.
    expect([...merged.rows]).toEqual([1, 12, 10, 2]);
  });

  it('refuses an unknown modality and a row in two', () => {
    const list = rankedList([1], [1]);
    expect(() => calibrateModalities({ sound: list }, statistics)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => calibrateModalities({ image: list, text: list }, statistics)).toThrow(
      code('INVALID_ARGUMENT'),
    );
    expect(() => modalityStatistics({ image: [] })).toThrow(code('LENGTH_MISMATCH'));
    expect(calibrateModalities({}, statistics).rows).toHaveLength(0);
  });
});

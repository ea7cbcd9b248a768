import { describe, expect, it } from 'vitest';
import { withViews } from '../../../../src/demo/learning/query-views.js';
import { placeBiases, placeFeatures } from '../../../../src/demo/learning/view-places.js';
import type { ImageQuery } from '../../../../src/encoders/encoder.js';
import { matrix } from '../../../../src/vectors/matrix.js';

const square = (x: number, y: number) => [
  x - 0.1,
  y - 0.1,
  x + 0.1,
  y - 0.1,
  x + 0.1,
  y + 0.1,
  x - 0.1,
  y + 0.1,
];
const quads = Float32Array.from([square(0.2, 0.3), square(0.5, 0.5), square(0.8, 0.7)].flat());
const asked: number[][] = [];
const query: ImageQuery = {
  views: matrix(Float32Array.of(1, 2, 3, 4, 5, 6), 2),
  viewQuads: quads,
  async patchesOf(views) {
    asked.push([...views]);
    return {
      patches: { data: new Float32Array(), lengths: new Uint32Array(), columns: 1 },
      patchQuads: quads,
    };
  },
};

describe('a query through some of its views', () => {
  it('has their vectors and places, and asks for patches by the numbers of the whole', async () => {
    const some = withViews(query, [2, 0]);
    expect([...some.views.data]).toEqual([5, 6, 1, 2]);
    expect([...some.viewQuads.slice(0, 8)]).toEqual([...quads.slice(16)]);
    await some.patchesOf!([1, 0]);
    expect(asked).toEqual([[0, 2]]);
    expect(some.refine).toBeUndefined();
    expect(() => withViews(query, [])).toThrow('at least one view');
  });
});

describe('places of views', () => {
  it('are the centre from -1 to 1, its squares and product, and the width with its square', () => {
    const features = placeFeatures(quads);
    const expected = [-0.6, -0.4, 0.36, 0.16, 0.24, -0.6, 0.36, 0, 0, 0, 0, 0, -0.6, 0.36];
    for (const [i, value] of expected.entries()) expect(features[i]).toBeCloseTo(value, 6);
  });

  it('are scored linearly', () => {
    const where = Float32Array.of(1, 0, 0, 2, 0, 1, 0);
    const biases = placeBiases(placeFeatures(quads), where);
    for (const [i, value] of [-0.6 + 0.32 - 0.6, -0.6, 0.6 + 0.32 - 0.6].entries()) {
      expect(biases[i]).toBeCloseTo(value, 6);
    }
  });
});

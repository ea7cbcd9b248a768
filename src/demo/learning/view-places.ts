import type { Quads } from '../../encoders/encoder.js';

/** Numbers that say where a view is. */
export const PLACE_FEATURES = 7;

/**
 * Where views are in their picture and how large, for a score that is linear in it: with x and y of a view's centre from -1 at the left and
 * upper edge to 1, and s its width from -1 for none to 1 for the picture's, the features x, y, x^2, y^2, x y, s and s^2; so the words of a
 * question may ask for a side, a corner or the middle, and a question that names no place for a flag that fills the picture.
 *
 * @param quads - of n views
 * @returns n x 7
 */
export function placeFeatures(quads: Quads): Float64Array {
  const views = quads.length / 8;
  const features = new Float64Array(views * PLACE_FEATURES);
  for (let view = 0; view < views; view++) {
    const quad = quads.subarray(view * 8, view * 8 + 8);
    const [x, y] = [0, 1].map(
      (axis) => (quad[axis]! + quad[axis + 2]! + quad[axis + 4]! + quad[axis + 6]!) / 2 - 1,
    ) as [number, number];
    const s = quad[2]! - quad[0]! + (quad[4]! - quad[6]!) - 1;
    features.set([x, y, x * x, y * y, x * y, s, s * s], view * PLACE_FEATURES);
  }
  return features;
}

/**
 * What a question adds to the score of each view: b(v) = <features(v), where>.
 *
 * @param features - views x 7
 * @param where - what a tower makes of the question: 7 numbers
 */
export function placeBiases(features: Float64Array, where: Float32Array): Float64Array {
  return Float64Array.from({ length: features.length / PLACE_FEATURES }, (_, view) => {
    let sum = 0;
    for (let i = 0; i < PLACE_FEATURES; i++) sum += features[view * PLACE_FEATURES + i]! * where[i]!;
    return sum;
  });
}

import type { Quads } from '../../encoders/encoder.js';

/** Numbers that say where a view is. */
export const PLACE_FEATURES = 6;

/**
 * Where views are in their picture, for a score that is linear in it: with x and y of a view's centre from -1 at the left and upper edge
 * to 1, the features x, y, x^2, y^2, x y and 1; so the words of a question may ask for a side, a corner or the middle.
 *
 * @param quads - of n views
 * @returns n x 6
 */
export function placeFeatures(quads: Quads): Float64Array {
  const views = quads.length / 8;
  const features = new Float64Array(views * PLACE_FEATURES);
  for (let view = 0; view < views; view++) {
    const [x, y] = [0, 1].map((axis) => {
      const at = view * 8 + axis;
      return (quads[at]! + quads[at + 2]! + quads[at + 4]! + quads[at + 6]!) / 2 - 1;
    }) as [number, number];
    features.set([x, y, x * x, y * y, x * y, 1], view * PLACE_FEATURES);
  }
  return features;
}

/**
 * What a question adds to the score of each view: b(v) = <features(v), where>.
 *
 * @param features - views x 6
 * @param where - what a tower makes of the question: 6 numbers
 */
export function placeBiases(features: Float64Array, where: Float32Array): Float64Array {
  return Float64Array.from({ length: features.length / PLACE_FEATURES }, (_, view) => {
    let sum = 0;
    for (let i = 0; i < PLACE_FEATURES; i++) sum += features[view * PLACE_FEATURES + i]! * where[i]!;
    return sum;
  });
}

import { LN2_HIGH, LN2_LOW } from './canonical-exp.js';

/** 2 / i for i = 3, 5, ..., 21, last first. */
const COEFFICIENTS = Float64Array.from({ length: 10 }, (_, i) => 2 / (21 - 2 * i));
const bits = new DataView(new ArrayBuffer(8));

/**
 * ln x for normal x > 0 with the same bits on every machine and version of Node, which `Math.log` does not promise: for x >= 1
 * those of the engine's own logarithm.
 *
 * x = 2^e f with f from sqrt(1/2) to sqrt(2), g = f - 1 and s = g / (2 + g):
 *
 *     ln f = g - s (g - R),   R = 2/3 s^2 + 2/5 s^4 + ... + 2/21 s^20
 *
 * The error is below one unit in the last place.
 */
export function canonicalLog(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let fraction = bits.getFloat64(0);
  if (fraction > Math.SQRT2) {
    fraction *= 0.5;
    exponent += 1;
  }
  const g = fraction - 1;
  const s = g / (2 + g);
  const z = s * s;
  let r = COEFFICIENTS[0]!;
  for (let i = 1; i < COEFFICIENTS.length; i++) r = r * z + COEFFICIENTS[i]!;
  r *= z;
  return exponent * LN2_HIGH - (s * (g - r) - exponent * LN2_LOW - g);
}

const view = new DataView(new ArrayBuffer(8));

/** The float64 that lies `steps` places above `value` (below, where negative); infinite past the greatest. */
export function nextNumber(value: number, steps: number): number {
  const place = placeOf(value) + BigInt(steps);
  const last = placeOf(Number.POSITIVE_INFINITY);
  if (place >= last) return Number.POSITIVE_INFINITY;
  if (place <= -last) return Number.NEGATIVE_INFINITY;
  view.setBigUint64(0, place < 0n ? -place : place);
  const magnitude = view.getFloat64(0);
  return place < 0n ? -magnitude : magnitude;
}

/** Numbers the float64s in their order; 0 and -0 are place 0. */
function placeOf(value: number): bigint {
  view.setFloat64(0, Math.abs(value));
  const magnitude = view.getBigUint64(0);
  return value < 0 ? -magnitude : magnitude;
}

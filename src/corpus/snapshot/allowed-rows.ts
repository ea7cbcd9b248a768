/** How many rows a filter allows. */
export function countRows(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) {
    for (; byte !== 0; byte &= byte - 1) count += 1;
  }
  return count;
}

/** The rows that both filters allow. */
export function bothAllow(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bits = a.slice();
  for (let i = 0; i < bits.length; i++) bits[i]! &= b[i] ?? 0;
  return bits;
}

/** A filter as an index of `rows` rows wants it: what is beyond the filter's end is not allowed. */
export function forIndex(bits: Uint8Array, rows: number): Uint8Array {
  const bytes = Math.ceil(rows / 8);
  if (bits.length === bytes) return bits;
  const padded = new Uint8Array(bytes);
  padded.set(bits);
  return padded;
}

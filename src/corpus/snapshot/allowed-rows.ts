/** How many bits each byte has. */
const BITS_OF_BYTE = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) BITS_OF_BYTE[byte] = BITS_OF_BYTE[byte >> 1]! + (byte & 1);

/** How many rows a filter allows. */
export function countRows(bits: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bits.length; i++) count += BITS_OF_BYTE[bits[i]!]!;
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

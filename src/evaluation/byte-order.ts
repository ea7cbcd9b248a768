/**
 * Compares two texts by the bytes of their UTF-8, as C's strcmp does: negative, 0 or positive.
 *
 * JavaScript's own order is that of UTF-16 units, in which a character beyond U+FFFF (a surrogate, D800 to DFFF) comes before
 * U+E000 to U+FFFF; by bytes, as by code points, it comes after.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? surrogatesLast(x) - surrogatesLast(y) : x - y;
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

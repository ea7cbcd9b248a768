/** Whether lists of arrays hold the same bits; quicker than a comparison number by number. */
export function sameBits(found: readonly Float32Array[], expected: readonly Float32Array[]): boolean {
  const bytes = (array: Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return (
    found.length === expected.length && expected.every((array, i) => bytes(array).equals(bytes(found[i]!)))
  );
}

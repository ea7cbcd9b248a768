import { expect } from 'vitest';

/** Plain objects of numbers and typed arrays, compared bit for bit; much quicker than `toEqual` for large arrays. */
export function expectSameBits(actual: object, expected: object): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) {
    const found: unknown = (actual as Record<string, unknown>)[key];
    if (ArrayBuffer.isView(value)) {
      expect(found).toBeInstanceOf(value.constructor);
      expect(Buffer.compare(bytes(found as ArrayBufferView), bytes(value)), key).toBe(0);
    } else if (typeof value === 'object') expectSameBits(found as object, value as object);
    else expect(found).toBe(value);
  }
}

function bytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

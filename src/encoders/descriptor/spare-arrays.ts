/** Arrays of one size that are kept, at most. */
const KEPT = 4;

/**
 * Arrays of some pictures for the next ones. A new array of a megabyte costs a fault of a page each 4 KiB, and one that lived as
 * long as a query does is freed only when the garbage collector looks at the old generation, tens of megabytes later.
 */
export class SpareArrays {
  readonly #kept = new Map<number, Float32Array[]>();

  /** An array of `length` numbers, whatever they are. It is the caller's until `give`. */
  take(length: number): Float32Array {
    const size = sizeOf(length);
    const array = this.#kept.get(size)?.pop() ?? new Float32Array(size);
    return array.subarray(0, length);
  }

  /** Takes back what `take` gave; nobody else may look at it any more. */
  give(array: Float32Array): void {
    const size = sizeOf(array.length);
    const kept = this.#kept.get(size) ?? [];
    this.#kept.set(size, kept);
    if (kept.length < KEPT) kept.push(new Float32Array(array.buffer));
  }
}

/** The next power of two: pictures of other shapes find arrays that are long enough. */
function sizeOf(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, length)));
}

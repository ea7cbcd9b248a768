/** A value and the memory in it that can be transferred to another thread. */
export interface HandedOver {
  readonly value: unknown;
  readonly transfer: readonly ArrayBuffer[];
}

/**
 * A value whose arrays are transferred to another thread. An array that does not fill its memory, or shares it, is copied
 * first: to send it would send all of the memory.
 */
export function handedOver(value: unknown): HandedOver {
  const transfer = new Set<ArrayBuffer>();
  const fillsMemory = ({ buffer, byteLength }: Uint8Array) =>
    buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && !transfer.has(buffer);
  return {
    value: withArrays(value, (array) => own(fillsMemory(array) ? array : copyOf(array), transfer)),
    transfer: [...transfer],
  };
}

/** A value whose arrays are copied, and the copies transferred to another thread: the arrays stay the caller's. */
export function copiedOver(value: unknown): HandedOver {
  const transfer = new Set<ArrayBuffer>();
  return { value: withArrays(value, (array) => own(copyOf(array), transfer)), transfer: [...transfer] };
}

/** `value` with each typed array in it, in plain objects and arrays at any depth, replaced. */
function withArrays(value: unknown, replace: (array: Uint8Array) => Uint8Array): unknown {
  if (ArrayBuffer.isView(value)) return replace(value as Uint8Array);
  if (Array.isArray(value)) return value.map((part) => withArrays(part, replace));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withArrays(part, replace)]));
  }
  return value;
}

/** `slice` of a Buffer would be a view. */
function copyOf(array: Uint8Array): Uint8Array {
  return Buffer.isBuffer(array) ? new Uint8Array(array) : array.slice();
}

function own(array: Uint8Array, transfer: Set<ArrayBuffer>): Uint8Array {
  transfer.add(array.buffer as ArrayBuffer);
  return array;
}

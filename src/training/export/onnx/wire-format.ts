/**
 * The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding): a message is a sequence of fields, each a number
 * and a value; what a reader does not know it can copy as it is. An ONNX file is one message. Only a few of its fields are read or
 * changed here; all others, and the weights, are copied byte for byte.
 *
 * @module
 */
import { GranuleError } from '../../../errors.js';

/** A field of a message. */
export interface Field {
  readonly id: number;
  /** Of a field that holds a whole number; exact below 2^53. Elsewhere 0. */
  readonly value: number;
  /** Of a field that holds bytes: a text, a message, packed numbers. Elsewhere empty. */
  readonly bytes: Uint8Array;
  /** The field as it stands in the message, its number included. */
  readonly whole: Uint8Array;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** Most bytes of a varint: ten groups of seven bits hold 64. */
const LONGEST_VARINT = 10;

/**
 * The fields of a message in their order; views of it.
 *
 * @throws GranuleError `MODEL_INVALID` where it is no message
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  while (at < message.length) {
    const start = at;
    const tag = readVarint(message, at);
    const [id, type] = [Math.floor(tag.value / 8), tag.value % 8];
    if (id === 0) throw noMessage();
    at = tag.next;
    let value = 0;
    let bytes = NO_BYTES;
    if (type === 0) ({ value, next: at } = readVarint(message, at));
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = readVarint(message, at);
      at = length.next + length.value;
      bytes = message.subarray(length.next, at);
    } else throw noMessage();
    if (at > message.length) throw noMessage();
    yield { id, value, bytes, whole: message.subarray(start, at) };
  }
}

/** @throws GranuleError `MODEL_INVALID` */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw noMessage();
  }
}

/** A field that holds a whole number, in 64 bits. */
export function numberField(id: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(BigInt(id * 8)), ...varint(BigInt.asUintN(64, BigInt(value)))]);
}

/** A field that holds a text, or bytes such as a message. */
export function bytesField(id: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return joined(fieldHead(id, bytes.length), bytes);
}

/** What stands before the bytes of a field that holds bytes. */
export function fieldHead(id: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(BigInt(id * 8 + 2)), ...varint(BigInt(length))]);
}

/** Parts one after the other: a message of its fields. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** The same bytes in fewer parts: those that lie one after the other in memory, as copied fields do, are one. */
export function inFewerParts(parts: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (last?.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset) {
      out[out.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + part.length);
    } else {
      out.push(part);
    }
  }
  return out;
}

function readVarint(message: Uint8Array, start: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < LONGEST_VARINT && start + i < message.length; i++) {
    const byte = message[start + i]!;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, next: start + i + 1 };
  }
  throw noMessage();
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  bytes.push(Number(rest));
  return bytes;
}

function noMessage(): GranuleError {
  return new GranuleError(
    'MODEL_INVALID',
    'is no ONNX model, or was cut short: its bytes are no protobuf message',
  );
}

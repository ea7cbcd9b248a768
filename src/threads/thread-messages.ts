/**
 * What a thread and its owner tell each other.
 *
 * @module
 */
import { ERROR_CODES, type ErrorCode, type ErrorDetails, GranuleError } from '../errors.js';
import type { ThreadSpec } from './thread-spec.js';

/** What a thread is started with. */
export interface ThreadData {
  /** URLs of the thread's program, and of the module whose `serve` makes the service. */
  readonly program: string;
  readonly service: string;
  readonly spec: ThreadSpec;
}

export type ToThread =
  | { readonly call: number; readonly method: string; readonly argument: unknown }
  | { readonly abort: number };

export type FromThread =
  | { readonly identity: unknown }
  | { readonly failed: SentError }
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: SentError };

/** An error on its way between threads: one of ours by its parts, another one as it is. */
export type SentError =
  | { readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails }
  | { readonly other: unknown };

/** What a thread does for its owner. */
export interface ThreadService {
  /** What the served object is, which the owner compares with what he expects. */
  readonly identity: Readonly<Record<string, string | number>>;
  readonly methods: Readonly<Record<string, (argument: never, signal: AbortSignal) => unknown>>;
}

/** An error as it is sent. */
export function toSentError(error: unknown): SentError {
  if (isPublished(error)) {
    const { code, message, details } = error;
    return { code, message, details };
  }
  try {
    return { other: structuredClone(error) };
  } catch {
    return { other: new Error(String(error)) };
  }
}

/** A sent error as it was. */
export function fromSentError(sent: SentError): unknown {
  return 'code' in sent ? new GranuleError(sent.code, sent.message, sent.details) : sent.other;
}

/** By its code, for the thread may have loaded another copy of the package. */
function isPublished(error: unknown): error is GranuleError {
  return error instanceof Error && 'code' in error && ERROR_CODES.includes(error.code as ErrorCode);
}

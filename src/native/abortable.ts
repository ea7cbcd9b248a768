import { GranuleError } from '../errors.js';
import { loadAddon } from './load-addon.js';
import type { NativeCancelToken } from './native-cancel-token.js';

/**
 * Runs a native call that `signal` stops: the workers look at the token between blocks of rows. The promise settles when
 * the workers have stopped, and then no listener is left on the signal. Without a signal there is no token: one costs a
 * good part of a short call.
 *
 * @throws GranuleError `ABORTED` with the signal's reason as `cause`
 */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  call: (cancel: NativeCancelToken | undefined) => Promise<T>,
): Promise<T> {
  return signal === undefined ? call(undefined) : cancellable(signal, call);
}

/** As {@link abortable}, with a token for the caller's own use too. */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  call: (cancel: NativeCancelToken) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const token = new (loadAddon().CancelToken)();
  const cancel = () => token.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await call(token);
  } catch (error) {
    throw signal?.aborted && isAborted(error) ? abortError(signal) : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/**
 * Waits for `turn`, which never rejects, or for `signal`, whichever comes first.
 *
 * @throws GranuleError `ABORTED` with the signal's reason as `cause`
 */
export async function waitUnlessAborted(signal: AbortSignal | undefined, turn: Promise<void>): Promise<void> {
  throwIfAborted(signal);
  if (signal === undefined) return turn;
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([turn, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  throwIfAborted(signal);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

function abortError(signal: AbortSignal): GranuleError {
  return new GranuleError('ABORTED', 'the operation was aborted', {}, { cause: signal.reason });
}

function isAborted(error: unknown): boolean {
  return error instanceof GranuleError && error.code === 'ABORTED';
}

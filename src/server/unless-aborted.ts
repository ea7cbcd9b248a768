/** Waits for `promise`, or rejects with the signal's reason, whichever comes first. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Nobody waits any more for a work that was given up.
    promise.catch(() => undefined);
    aborted.catch(() => undefined);
  }
}

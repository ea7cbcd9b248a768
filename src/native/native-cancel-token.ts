/** Set by `cancel()` on the JavaScript thread, read by the workers between blocks of rows. */
export interface NativeCancelToken {
  cancel(): void;
}

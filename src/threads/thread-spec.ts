/**
 * How a thread makes another one of an object: `new (await import(module))[export](options)`.
 *
 * The other one must give the same results. What it returns is handed over to the caller's thread without a copy: it keeps
 * none of the arrays that it has returned.
 */
export interface ThreadSpec {
  /** URL of a module, ES or CommonJS. */
  readonly module: string;
  /** Name of the class that it exports. */
  readonly export: string;
  /** The constructor's one argument: plain data, which can be cloned. */
  readonly options: object;
}

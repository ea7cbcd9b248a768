/** A mean over samples. */
export interface Estimate {
  readonly estimate: number;
  /** Standard deviation of the samples / sqrt(samples). */
  readonly standardError: number;
}

/** The mean of two or more independent samples, and its standard error with n - 1 degrees of freedom. */
export function estimateOf(samples: readonly number[]): Estimate {
  const n = samples.length;
  const estimate = samples.reduce((sum, value) => sum + value, 0) / n;
  const squares = samples.reduce((sum, value) => sum + (value - estimate) ** 2, 0);
  return { estimate, standardError: Math.sqrt(squares / (n - 1) / n) };
}

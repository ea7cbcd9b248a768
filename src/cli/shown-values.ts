import type { Timings } from '../retrievers/retriever.js';

/** A probability as people read it, six characters wide. */
export function percent(probability: number): string {
  return `${(probability * 100).toFixed(1)} %`.padStart(7);
}

/** Milliseconds of each stage on one line. */
export function timingsLine(timings: Readonly<Timings>): string {
  return Object.entries(timings)
    .map(([stage, milliseconds]) => `${stage} ${milliseconds.toFixed(1)} ms`)
    .join(', ');
}

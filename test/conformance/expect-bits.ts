import { expect } from 'vitest';
import type { Hits } from '../../src/index.js';
import { NO_ROW, type OracleHits, softmax } from './oracle.js';

/** Bit patterns of float32 values: tells 0 from -0. */
function bits(values: ArrayLike<number>): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

function show(value: number | undefined): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Equal float32 values, bit for bit; `what` heads the message. */
export function expectBits(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const a = bits(actual);
  const e = bits(expected);
  expect(a.length, `${what}: length`).toBe(e.length);
  const at = a.findIndex((value, i) => value !== e[i]);
  if (at >= 0) {
    expect.fail(`${what}: place ${at} is ${show(actual[at])}, the oracle says ${show(expected[at])}`);
  }
}

/** `hits` are the oracle's, query by query, with unused places marked. */
export function expectHits(
  hits: Hits,
  expected: readonly OracleHits[],
  what: string,
  temperature?: number,
): void {
  expect(hits.queries, what).toBe(expected.length);
  expect([...hits.counts], `${what}: counts`).toEqual(expected.map(({ rows }) => rows.length));
  for (const [query, { rows, scores }] of expected.entries()) {
    const place = [query * hits.k, (query + 1) * hits.k] as const;
    const unused = hits.k - rows.length;
    const label = `${what}, query ${query}`;
    const expectedRows = [...rows, ...Array<number>(unused).fill(NO_ROW)];
    const actualRows = [...hits.rows.subarray(...place)];
    const at = actualRows.findIndex((row, i) => row !== expectedRows[i]);
    if (at >= 0)
      expect.fail(`${label}: place ${at} is row ${actualRows[at]}, the oracle says ${expectedRows[at]}`);
    expectBits(
      hits.scores.subarray(...place),
      [...scores, ...Array<number>(unused).fill(Number.NEGATIVE_INFINITY)],
      `${label}: scores`,
    );
    if (temperature === undefined) {
      expect(hits.probabilities, label).toBeUndefined();
    } else {
      expectBits(
        hits.probabilities!.subarray(...place),
        [...softmax(scores, temperature), ...Array<number>(unused).fill(0)],
        `${label}: probabilities`,
      );
    }
  }
}

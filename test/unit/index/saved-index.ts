/** Small indexes to save and open, and what is asked of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FlatIndex, type Hits } from '../../../src/index.js';

export const DIMENSION = 9;

export function floats(count: number, seed = 1): Float32Array {
  let state = seed * 2_654_435_761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

export const QUERIES = floats(3 * DIMENSION, 77);

export async function flat(rows = 300, options = {}): Promise<FlatIndex> {
  const index = new FlatIndex({ dimension: DIMENSION, ...options });
  await index.add(floats(rows * DIMENSION));
  return index;
}

export async function answers(index: FlatIndex, options = {}): Promise<Pick<Hits, 'rows' | 'scores'>> {
  const { rows, scores } = await index.search(QUERIES, { k: 5, ...options });
  return { rows, scores };
}

export const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
export const dataFiles = (folder: string) => readdirSync(folder).filter((name) => name !== '.lock');

export const failing = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message && { message: expect.stringMatching(message) }) });

import { createHash, type Hash } from 'node:crypto';
import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import type { TrainPlan } from './train-options.js';
import type { JudgedQueries, RetrieverData } from './training-data.js';

/** What makes two runs the same: options with their defaults, and the data, as texts by name. */
export type RunIdentity = Readonly<Record<string, string>>;

const BYTES_PER_LOOK = 1 << 20;

/** Runs with one identity have the same bits at every step. */
export async function runIdentity(
  plan: TrainPlan,
  data: RetrieverData,
  signal: AbortSignal | undefined,
): Promise<RunIdentity> {
  const { documents, train, dev } = data;
  const turns = new EventLoopTurns(signal);
  const options = Object.entries(plan).map(([name, value]) => [name, JSON.stringify(value) ?? 'none']);
  return {
    ...Object.fromEntries(options),
    documents: await hashed(turns, (hash) => addNumbers(hash, documents.data, turns)),
    train: await hashed(turns, (hash) => addQueries(hash, train, turns)),
    dev: dev === undefined ? 'none' : await hashed(turns, (hash) => addQueries(hash, dev, turns)),
  };
}

/** What differs, for people: `batchSize was 32 and is 64`. */
export function differences(kept: RunIdentity, own: RunIdentity): string[] {
  return [...new Set([...Object.keys(kept), ...Object.keys(own)])].flatMap((name) => {
    const [was, is] = [kept[name] ?? 'none', own[name] ?? 'none'];
    if (was === is) return [];
    return DATA.has(name) ? [`the data of ${name} are others`] : [`${name} was ${was} and is ${is}`];
  });
}

const DATA = new Set(['documents', 'train', 'dev']);

async function hashed(turns: EventLoopTurns, add: (hash: Hash) => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  await add(hash);
  await turns.pass();
  return hash.digest('hex');
}

async function addQueries(hash: Hash, queries: JudgedQueries, turns: EventLoopTurns): Promise<void> {
  const { vectors, positives, negatives, grades } = queries;
  await addNumbers(hash, vectors.data, turns);
  for (let query = 0; query < vectors.rows; query++) {
    const lists = [
      Array.from(positives[query]!),
      Array.from(negatives?.[query] ?? []),
      [...(grades?.[query] ?? [])],
    ];
    hash.update(JSON.stringify(lists));
    if (turns.over) await turns.pass();
  }
}

async function addNumbers(hash: Hash, data: Float32Array, turns: EventLoopTurns): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let start = 0; start < bytes.length; start += BYTES_PER_LOOK) {
    hash.update(bytes.subarray(start, start + BYTES_PER_LOOK));
    if (turns.over) await turns.pass();
  }
}

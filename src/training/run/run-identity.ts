import { createHash, type Hash } from 'node:crypto';
import type { EventLoopTurns } from '../../approximate/event-loop-turns.js';

/** What makes two runs the same: options with their defaults, and digests of the data under names that begin with `data: `, as texts by name. */
export type RunIdentity = Readonly<Record<string, string>>;

const BYTES_PER_LOOK = 1 << 20;
const DATA = 'data: ';

/** An identity from options and from digests of the data, by name. */
export function identityOfRun(
  options: Readonly<Record<string, unknown>>,
  digests: Readonly<Record<string, string>>,
): RunIdentity {
  return Object.fromEntries([
    ...Object.entries(options).map(([name, value]) => [name, JSON.stringify(value) ?? 'none']),
    ...Object.entries(digests).map(([name, digest]) => [`${DATA}${name}`, digest]),
  ]);
}

/** What differs, for people: `batchSize was 32 and is 64`. */
export function differences(kept: RunIdentity, own: RunIdentity): string[] {
  return [...new Set([...Object.keys(kept), ...Object.keys(own)])].flatMap((name) => {
    const [was, is] = [kept[name] ?? 'none', own[name] ?? 'none'];
    if (was === is) return [];
    return name.startsWith(DATA)
      ? [`the data of ${name.slice(DATA.length)} are others`]
      : [`${name} was ${was} and is ${is}`];
  });
}

/** The SHA-256 of what `add` puts into it. */
export async function digestOf(turns: EventLoopTurns, add: (hash: Hash) => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  await add(hash);
  await turns.pass();
  return hash.digest('hex');
}

/** Puts numbers into a hash. */
export async function addNumbers(hash: Hash, data: Float32Array, turns: EventLoopTurns): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let start = 0; start < bytes.length; start += BYTES_PER_LOOK) {
    hash.update(bytes.subarray(start, start + BYTES_PER_LOOK));
    if (turns.over) await turns.pass();
  }
}

/** Puts texts, or whatever else JSON has, into a hash. */
export async function addItems(hash: Hash, items: Iterable<unknown>, turns: EventLoopTurns): Promise<void> {
  for (const item of items) {
    hash.update(`${JSON.stringify(item)}\n`);
    if (turns.over) await turns.pass();
  }
}

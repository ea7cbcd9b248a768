import { createRequire } from 'node:module';
import { datasetOf } from './workloads.mjs';

const require = createRequire(import.meta.url);
/** What a process takes beside the vectors. */
const PROCESS_BYTES = 256 * 2 ** 20;

/** Why a contender cannot run on this machine at all, or undefined. */
export async function absence(contender) {
  if (contender.package !== undefined) {
    try {
      require.resolve(contender.package);
    } catch {
      return `${contender.package} is not installed: npm ci --prefix bench`;
    }
  }
  return contender.absent?.();
}

/** Why a contender cannot do `{ workload, threads }` within so many bytes of `memory`, or undefined. */
export async function refusals(contender, { workload, threads, memory }) {
  return (
    (await contender.refuses?.({ workload, threads })) ??
    (await absence(contender)) ??
    lackOfMemory(contender, workload, memory)
  );
}

/** Bytes that a contender's process takes, about. */
export function memoryNeed(contender, workload) {
  const { rows, dimension } = datasetOf(workload);
  return rows * dimension * 4 * contender.copies(workload) + PROCESS_BYTES;
}

function lackOfMemory(contender, workload, memory) {
  const need = memoryNeed(contender, workload);
  if (need <= memory) return undefined;
  return `needs about ${gibibytes(need)} GiB of memory, and ${gibibytes(memory)} are there for it`;
}

function gibibytes(bytes) {
  return (bytes / 2 ** 30).toFixed(1);
}

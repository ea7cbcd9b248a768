import { createRequire } from 'node:module';
import { freemem } from 'node:os';
import { demand } from './workloads.mjs';

const require = createRequire(import.meta.url);

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

/**
 * Who can do a task, and why others cannot. Those that have no such operation are in neither list.
 *
 * @returns `{ able, skipped }`; an entry of `skipped` is `{ workload, contender, threads, reason }`
 */
export async function refusals(contenders, task) {
  const able = [];
  const skipped = [];
  for (const contender of contenders.filter(({ kinds }) => kinds.includes(task.workload.kind))) {
    const reason =
      (await contender.refuses?.(task)) ??
      (await absence(contender)) ??
      lackOfMemory(contender, task.workload);
    if (reason === undefined) able.push(contender);
    else {
      skipped.push({
        workload: task.workload.name,
        contender: contender.name,
        threads: task.threads,
        reason,
      });
    }
  }
  return { able, skipped };
}

/** Bytes that a contender's process takes, about. */
export function memoryNeed(contender, workload) {
  const { bytes = workload.rows * workload.dimension * 4 } = demand(workload, 4);
  return bytes * contender.copies + 256 * 2 ** 20;
}

function lackOfMemory(contender, workload) {
  const need = memoryNeed(contender, workload);
  const free = freemem();
  if (need <= free) return undefined;
  return `needs about ${gibibytes(need)} GiB of memory, and ${gibibytes(free)} are free`;
}

function gibibytes(bytes) {
  return (bytes / 2 ** 30).toFixed(1);
}

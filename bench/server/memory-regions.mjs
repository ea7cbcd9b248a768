/** What a process's resident memory is, by kind of region. */
import { readFileSync } from 'node:fs';

/** glibc reserves the address space of an arena in pieces of this size, aligned to it; only the first part can be written to. */
const ARENA = 64 * 2 ** 20;

/**
 * Resident bytes of a process by kind: `arenas`, glibc's beyond the first; `heap`, the first; `files`, mapped ones; `mappings`, all the
 * rest: the heaps of V8, and blocks of the C library that are mappings of their own.
 *
 * @returns undefined where the system has no /proc/<pid>/smaps
 */
export function memoryRegions(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  } catch {
    return undefined;
  }
  const regions = [];
  for (const line of text.split('\n')) {
    const found = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line);
    if (found) {
      const [, start, end, access, name] = found;
      regions.push({ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), access, name });
    } else if (line.startsWith('Rss:')) regions.at(-1).bytes = 1024 * Number.parseInt(line.slice(4), 10);
  }
  const bytes = { arenas: 0, heap: 0, files: 0, mappings: 0 };
  for (const [i, region] of regions.entries()) bytes[kindOf(region, regions[i + 1])] += region.bytes;
  return bytes;
}

function kindOf({ start, end, name }, next) {
  if (name === '[heap]') return 'heap';
  if (name.startsWith('/')) return 'files';
  const reserved = next?.start === end && next.access.startsWith('---') ? next.end : end;
  return name === '' && start % ARENA === 0 && reserved % ARENA === 0 ? 'arenas' : 'mappings';
}

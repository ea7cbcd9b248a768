import { loadAddon } from './load-addon.js';

/** No arena is added where there are so many; Node's own threads have made more when a program gets to say so. */
const ARENAS = 2;
/** Bytes of a block that is memory of its own, and goes back to the system when it is freed. */
const MAPPED_BYTES = 64 * 1024;

/**
 * Bounds what the C library's allocator keeps of memory that was freed, for the whole process and all its threads. So this is for
 * a program's own entry, not for a library inside somebody else's.
 *
 * glibc gives each thread an arena, up to eight per core, and raises the size from which a block is a mapping of its own to
 * that of the largest one that was freed, up to 32 MiB. From then on arrays of megabytes, which one thread makes and another
 * one frees, lie in the arenas between small ones, and these keep their greatest extent: half of it and more is free memory
 * that no other arena can use, and every rare coincidence of requests adds to it for good.
 *
 * @returns whether the allocator is bounded: false where the C library is not glibc
 * @throws GranuleError `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED`
 */
export function boundAllocator(): boolean {
  return loadAddon().boundAllocator(ARENAS, MAPPED_BYTES);
}

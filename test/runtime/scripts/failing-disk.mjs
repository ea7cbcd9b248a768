// Two disks that fail on demand: `arm(position)` before a change, `disarm(error)` after it, which says whether the disk
// was the cause of what may have gone wrong. A higher position lets a change come further; at some position it is done.
import { accessSync, closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The write of this number and some that follow fail with `errno`; only under failing-writes.c. */
export function failingWrites(errno, times) {
  return {
    arm: (position) => accessSync(`/granule-fault/arm/${position}/${errno}/${times}`),
    disarm() {
      try {
        accessSync('/granule-fault/disarm');
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** What is left when a change is called done without having come near the end of the disk. */
const SPARE_BYTES = 64 * 1024;

/** A small disk of its own, on which so many blocks are left as the position says; the rest is filled with a file. */
export function filledDisk(mount) {
  const ballast = join(mount, 'ballast');
  const free = () => {
    const { bavail, bsize } = statfsSync(mount);
    return { blocks: bavail, bytes: bavail * bsize, block: bsize };
  };
  return {
    arm(position) {
      const { blocks, block } = free();
      const file = openSync(ballast, 'w');
      const zeros = Buffer.alloc(block);
      for (let i = position; i < blocks; i++) writeSync(file, zeros);
      closeSync(file);
    },
    disarm(error) {
      const near = free().bytes < SPARE_BYTES;
      rmSync(ballast);
      return near || error !== undefined;
    },
  };
}

import { readFileSync } from 'node:fs';

/** Bytes by which the memory of this process that no file backs grows while `work` runs. */
export async function measureMemory(work) {
  const before = anonymousBytes();
  await work();
  return anonymousBytes() - before;
}

function anonymousBytes() {
  try {
    const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(kibibytes) * 1024;
  } catch {
    // Not Linux: the whole resident set, in which nothing else changes by much.
    return process.memoryUsage().rss;
  }
}

/**
 * A stamp records which inputs an output was built from, by content. Checking one takes milliseconds, which matters
 * because npm runs `prepare` again whenever `npx granule` links the clone.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param {string} root
 * @param {readonly string[]} inputs files and folders under `root`
 * @param {readonly string[]} facts further things that the output depends on, such as versions
 */
export function digestInputs(root, inputs, facts) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const file of inputs.flatMap((input) => listFiles(root, input))) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

export function stampMatches(root, name, digest) {
  try {
    return readFileSync(stampPath(root, name), 'utf8') === digest;
  } catch {
    return false;
  }
}

export function writeStamp(root, name, digest) {
  mkdirSync(dirname(stampPath(root, name)), { recursive: true });
  writeFileSync(stampPath(root, name), digest);
}

function stampPath(root, name) {
  return join(root, 'build', 'stamps', name);
}

function listFiles(root, path) {
  const status = statSync(join(root, path), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => listFiles(root, `${path}/${name}`));
}

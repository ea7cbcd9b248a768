/**
 * Holds the addon and its TypeScript together: both carry one digest of what TypeScript says of the border, and the loader refuses an
 * addon with another one.
 *
 *     node scripts/native-border.mjs [--write]
 *
 * Says which of the two files is not up to date; with --write brings them up to date, after which the addon has to be compiled again.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TYPES = 'src/native';

/** The first 16 digits of the SHA-256 of the types of the border, without comments and layout. */
export function borderDigest() {
  const hash = createHash('sha256');
  const files = readdirSync(join(root, TYPES)).filter(
    (name) => name.endsWith('-types.ts') || name === 'native-cancel-token.ts',
  );
  for (const name of files.sort()) {
    const text = readFileSync(join(root, TYPES, name), 'utf8');
    hash.update(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replace(/\s+/g, ' '));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The two files that carry the digest, by their paths. */
export function borderFiles(digest) {
  return {
    'src/native/border.ts': `/** What this TypeScript takes the addon to be; scripts/native-border.mjs writes it. */
export const BORDER = '${digest}';
`,
    'native/binding/border.h': `#pragma once

namespace granule {

// What TypeScript this addon was written for; scripts/native-border.mjs writes it.
inline constexpr char kBorder[] = "${digest}";

}  // namespace granule
`,
  };
}

/** Paths of the files that carry another digest. */
export function outdatedBorderFiles() {
  return Object.entries(borderFiles(borderDigest()))
    .filter(([file, text]) => readFileSync(join(root, file), 'utf8') !== text)
    .map(([file]) => file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) {
    for (const [file, text] of Object.entries(borderFiles(borderDigest())))
      writeFileSync(join(root, file), text);
  } else {
    for (const file of outdatedBorderFiles()) {
      console.error(`${file} is not up to date: node scripts/native-border.mjs --write`);
      process.exitCode = 1;
    }
  }
}

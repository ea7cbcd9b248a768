/**
 * Checks the layout of the C++ and CUDA sources with clang-format; `--write` sets it right.
 * TypeScript and JSON are biome's. Skips, and says so, where clang-format is not installed.
 *
 *     node scripts/check-format.mjs [--write]
 *
 * Prints the first place in each file, then `N passed, N failed` over the files.
 */
import { readdirSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const EXTENSIONS = ['.h', '.cuh', '.cc', '.cu'];

const clangFormat = findProgram('clang-format');
if (clangFormat === undefined) {
  console.log('format of C++: SKIPPED, clang-format is not on PATH (apt-get install clang-format)');
} else {
  const files = readdirSync(join(root, 'native'), { recursive: true })
    .filter((file) => EXTENSIONS.includes(extname(file)))
    .map((file) => `native/${file}`)
    .sort();
  const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
  const { code, output } = await runCommand(clangFormat, [...mode, ...files], { cwd: root });
  const failed = files.filter((file) => output.includes(`${file}:`));
  for (const file of failed) {
    console.error(output.split('\n').find((line) => line.startsWith(`${file}:`)));
  }
  if (code !== 0 && failed.length === 0) console.error(output);
  console.log(`format of C++: ${files.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = code;
}

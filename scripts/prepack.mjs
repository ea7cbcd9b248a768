/**
 * npm's `prepack`: sees to it that a tarball never leaves without a binary for the machine it was packed on.
 *
 * The addon that `prepare` built is stripped into prebuilds/<platform>-<arch>/, where node-gyp-build looks for it, unless a
 * newer one (from `npm run prebuild`, or gathered from other machines for a release) lies there already.
 */
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADDON_PATH, buildNative, nativeIsCurrent } from './build-native.mjs';
import { findProgram, runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, ADDON_PATH);
const prebuilt = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'granule.node');

try {
  if (!nativeIsCurrent()) await buildNative();
  if (modifiedAt(prebuilt) < modifiedAt(built)) {
    mkdirSync(dirname(prebuilt), { recursive: true });
    copyFileSync(built, prebuilt);
    await strip(prebuilt);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function strip(file) {
  const program = findProgram('strip');
  if (program === undefined || process.platform === 'win32') return;
  const { code, output } = await runCommand(
    program,
    process.platform === 'darwin' ? ['-Sx', file] : ['--strip-all', file],
  );
  if (code !== 0) throw new Error(`${output}\n${file} could not be stripped.`);
}

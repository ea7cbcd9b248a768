/**
 * Builds the addon with the sanitizers of addresses and undefined behaviour, warnings being errors, and runs those TypeScript
 * tests with it that hand the addon hostile input. Skips, and says why, where a tool is missing.
 *
 *     node scripts/test-addon-sanitized.mjs [test file or folder ...]
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, runCommand } from './run-command.mjs';
import { buildEngine, compilerCache } from './test-native.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const HOSTILE = ['test/contracts/errors.test.ts', 'test/unit/index', 'test/runtime/index-corruption.test.ts'];

/** The sanitizers' libraries of the compiler, which must be in the process before the addon. */
async function sanitizerLibraries() {
  const paths = [];
  for (const name of ['libasan.so', 'libubsan.so']) {
    const { code, output } = await runCommand('g++', [`-print-file-name=${name}`]);
    const path = output.trim();
    // The compiler repeats the bare name of a library that it does not have.
    if (code !== 0 || path === name) return undefined;
    paths.push(path);
  }
  return paths;
}

async function run(tests) {
  const missing = ['cmake', 'ninja', 'g++'].filter((tool) => findProgram(tool) === undefined);
  if (process.platform !== 'linux') missing.push('Linux');
  const libraries = missing.length > 0 ? undefined : await sanitizerLibraries();
  if (libraries === undefined) {
    console.log(`addon with sanitizers: SKIPPED, missing: ${missing.join(', ') || 'libasan, libubsan'}`);
    return 0;
  }
  // The C++ tests with the same sanitizers link it too.
  const engine = await buildEngine('sanitized');
  if (engine === undefined) return 1;
  const folder = join(root, 'build-native', 'addon-sanitized');
  const prebuild = join(root, 'build-native', 'addon-sanitized-package');
  const flags = [
    '--CDGRANULE_SANITIZE=address,undefined',
    '--CDGRANULE_PRECOMPILED_HEADERS=ON',
    `--CDGRANULE_ENGINE_LIBRARY=${engine}`,
    '--CDGRANULE_WERROR=ON',
    '--CDBUILD_TESTING=OFF',
  ];
  if (findProgram('ccache') !== undefined) flags.push('--CDCMAKE_CXX_COMPILER_LAUNCHER=ccache');
  // By npx, which hands npm's settings on: among them may be where Node's headers lie.
  const built = await runCommand('npx', ['cmake-js', 'compile', '--out', folder, ...flags], {
    cwd: root,
    env: compilerCache(),
  });
  if (built.code !== 0) {
    console.error(built.output);
    return built.code;
  }
  mkdirSync(prebuild, { recursive: true });
  rmSync(join(prebuild, 'build'), { force: true });
  symlinkSync(folder, join(prebuild, 'build'));
  const tested = await runCommand(process.execPath, [join(root, 'scripts', 'test-ts.mjs'), ...tests], {
    cwd: root,
    echo: true,
    env: {
      ...process.env,
      // In whose build/Release node-gyp-build looks first.
      GRANULE_PREBUILD: prebuild,
      GRANULE_DAMAGE_STEP: '1',
      LD_PRELOAD: libraries.join(':'),
      // Node keeps memory until its end on purpose.
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  });
  return tested.code;
}

process.exitCode = await run(process.argv.length > 2 ? process.argv.slice(2) : HOSTILE);

/**
 * Compiles the addon to build/Release/granule.node with node-gyp, all cores, silent unless it fails.
 *
 *     node scripts/build-native.mjs
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestInputs, stampMatches, writeStamp } from './build-stamp.mjs';
import { findProgram, runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** Where node-gyp puts the addon, relative to the package. */
export const ADDON_PATH = 'build/Release/granule.node';

/** Where it puts the objects that the addon is linked from, except on Windows. */
export const OBJECTS_FOLDER = 'build/Release/obj.target';

const INPUTS = [
  'binding.gyp',
  'native/sources.json',
  'native/core',
  'native/kernels',
  'native/backends',
  'native/index',
  'native/late_interaction',
  'native/pooling',
  'native/refinement',
  'native/training',
  'native/binding',
];

export function nativeIsCurrent() {
  return existsSync(join(root, ADDON_PATH)) && stampMatches(root, 'native', nativeDigest());
}

/** Throws an Error with the compiler's whole output where the build fails. */
export async function buildNative() {
  const digest = nativeDigest();
  const headers = headersFolder();
  const args = [
    require.resolve('node-gyp/bin/node-gyp.js'),
    'configure',
    'build',
    '--release',
    '-j',
    'max',
    '--loglevel=warn',
    ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
  ];
  const { code, output } = await runCommand(process.execPath, args, { cwd: root });
  if (code !== 0) {
    throw new Error(`${output}\nThe addon could not be compiled.${missingTools()}`);
  }
  writeStamp(root, 'native', digest);
}

function nativeDigest() {
  const nodeAddonApi = JSON.parse(readFileSync(require.resolve('node-addon-api/package.json'), 'utf8'));
  return digestInputs(root, INPUTS, [process.platform, process.arch, nodeAddonApi.version]);
}

/** Node's own headers where they lie beside the running Node; otherwise node-gyp looks for them itself. */
function headersFolder() {
  if (process.env['npm_config_nodedir'] !== undefined) return undefined;
  const prefix = dirname(dirname(process.execPath));
  const complete = ['node_api.h', 'common.gypi'].every((name) =>
    existsSync(join(prefix, 'include', 'node', name)),
  );
  return complete ? prefix : undefined;
}

function missingTools() {
  if (process.platform === 'win32') {
    return ' It needs Visual Studio 2022 (Desktop development with C++) and Python 3.';
  }
  const missing = [];
  if (process.env['CXX'] === undefined && findProgram('c++', 'g++', 'clang++') === undefined) {
    missing.push('a C++20 compiler (GCC 11 or clang 14 and later)');
  }
  if (findProgram('make', 'gmake') === undefined) missing.push('make');
  if (findProgram('python3', 'python') === undefined) missing.push('Python 3');
  if (missing.length === 0) return '';
  return [
    ` Missing on PATH: ${missing.join(', ')}.`,
    'A clone compiles its addon; the package from npm carries a compiled one and needs none of this.',
    'Debian and Ubuntu: apt-get install build-essential python3. macOS: xcode-select --install.',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await buildNative();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

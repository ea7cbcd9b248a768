/**
 * Builds the C++ tests with CMake, runs them with ctest, and closes with one line `native tests (variant): N passed, N failed`.
 * Skips, and says why, where a tool is missing.
 *
 *     node scripts/test-native.mjs [release | sanitized | threads | aarch64] [--strict] [--build-only]
 *
 * `--strict` turns warnings into errors.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative, nativeIsCurrent, OBJECTS_FOLDER } from './build-native.mjs';
import { findProgram, runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * `tools` must be on PATH; `cmake` goes to the configuration; `addon` tests the very objects that the addon is linked from,
 * where they can be linked, instead of compiling the engine a second time. `processors` are those that `program` emulates by the name in
 * QEMU_CPU, with the instruction sets that must be found on each. Headers are precompiled in all variants but the release, where a source
 * that includes too little does not compile.
 */
const VARIANTS = {
  release: { tools: [], cmake: [], addon: process.platform !== 'win32' },
  sanitized: {
    tools: [],
    cmake: ['-DGRANULE_SANITIZE=address,undefined', '-DGRANULE_PRECOMPILED_HEADERS=ON'],
  },
  threads: { tools: [], cmake: ['-DGRANULE_SANITIZE=thread', '-DGRANULE_PRECOMPILED_HEADERS=ON'] },
  aarch64: {
    tools: ['aarch64-linux-gnu-g++', 'qemu-aarch64'],
    cmake: [
      '-DCMAKE_SYSTEM_NAME=Linux',
      '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
      '-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc',
      '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
      '-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64;-L;/usr/aarch64-linux-gnu',
      '-DGRANULE_PRECOMPILED_HEADERS=ON',
      // doctest alone: the rest of /usr/include is this machine's.
      `-Ddoctest_include=${join(root, 'build-native', 'doctest')}`,
    ],
    program: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
    processors: {
      max: 'scalar neon neondot neoni8mm',
      'neoverse-n1': 'scalar neon neondot',
      'cortex-a53': 'scalar neon',
    },
  },
};

/** Tests of the kernels themselves: they run on every processor of a variant, the others on the first alone. */
const KERNEL_TESTS = ['kernel_conformance', 'code_scan', 'checksum', 'convert', 'prepare'];

/**
 * Builds the tests.
 *
 * @param {keyof typeof VARIANTS} name
 * @param {{ strict?: boolean }} [options]
 * @returns {Promise<{ failed: boolean } | { skipped: string }>}
 */
export async function buildNativeTests(name, { strict = false } = {}) {
  const variant = VARIANTS[name];
  const missing = ['cmake', 'ctest', ...variant.tools].filter((tool) => findProgram(tool) === undefined);
  if (missing.length > 0) return { skipped: `${missing.join(', ')} not on PATH` };
  const doctest = await doctestFolder();
  if (doctest === undefined) return { skipped: 'doctest is not installed (apt-get install doctest-dev)' };
  linkDoctest(doctest);
  if (variant.addon && !(await addonBuilt())) return { failed: true };
  return { failed: !(await build(name, strict, [])) };
}

/**
 * Builds the engine of a variant alone, warnings being errors.
 *
 * @param {keyof typeof VARIANTS} name
 * @returns {Promise<string | undefined>} the library; undefined where the build failed
 */
export async function buildEngine(name) {
  const built = await build(name, true, ['--target', 'granule_engine']);
  return built ? join(root, 'build-native', name, 'libgranule_engine.a') : undefined;
}

/** Whether the variant could be configured and built. */
async function build(name, strict, target) {
  const folder = join(root, 'build-native', name);
  const steps = [
    ['-S', root, '-B', folder, ...configuration(VARIANTS[name], strict)],
    ['--build', folder, '--parallel', String(availableParallelism()), ...target],
  ];
  for (const args of steps) {
    const { code, output } = await runCommand('cmake', args, { cwd: root, env: compilerCache() });
    if (code !== 0) {
      console.error(output);
      return false;
    }
    if (target.length === 0) reportLeftOut(name, output);
  }
  return true;
}

/** The environment in which ccache also keeps what is compiled with precompiled headers. */
export function compilerCache() {
  return { ...process.env, CCACHE_SLOPPINESS: 'pch_defines,time_macros' };
}

/**
 * Runs the tests that were built, `jobs` files at a time.
 *
 * @param {keyof typeof VARIANTS} name
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runNativeTests(name, jobs = availableParallelism()) {
  const variant = VARIANTS[name];
  const folder = join(root, 'build-native', name);
  const [processor, ...otherProcessors] = Object.entries(variant.processors ?? {});
  const env = {
    ...process.env,
    ...emulation(processor),
    TSAN_OPTIONS: `suppressions=${join(root, 'scripts', 'thread-sanitizer.supp')}`,
  };
  const { code, output } = await runCommand(
    'ctest',
    ['--test-dir', folder, '-V', '--no-tests=error', '-j', String(jobs)],
    { env },
  );
  if (code !== 0) console.error(output);
  reportInstructionSets(processor?.[0] ?? name, output);
  return [counts(output, code), ...(await kernelsOn(otherProcessors, variant.program, folder))].reduce(
    (sum, part) => ({
      passed: sum.passed + part.passed,
      failed: sum.failed + part.failed,
    }),
  );
}

/** The environment that chooses an emulated processor, and tells the tests what to find on it. */
function emulation(processor) {
  if (processor === undefined) return {};
  const [name, instructionSets] = processor;
  return { QEMU_CPU: name, GRANULE_TEST_INSTRUCTION_SETS: instructionSets };
}

/** The tests of the kernels on each of these processors. */
async function kernelsOn(processors, program, folder) {
  const filter = `--source-file=${KERNEL_TESTS.map((name) => `*${name}_test.cc`).join(',')}`;
  return Promise.all(
    processors.map(async (processor) => {
      const [emulator, ...args] = program;
      const env = { ...process.env, ...emulation(processor) };
      const tests = [join(folder, 'granule_tests'), filter];
      const { code, output } = await runCommand(emulator, [...args, ...tests], { env });
      if (code !== 0) console.error(`on ${processor[0]}:\n${output}`);
      reportInstructionSets(processor[0], output);
      return counts(output, code);
    }),
  );
}

/** Whether the addon is what its sources say, now at the latest. */
async function addonBuilt() {
  if (nativeIsCurrent() && existsSync(join(root, OBJECTS_FOLDER))) return true;
  try {
    await buildNative();
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

function configuration(variant, strict) {
  return [
    ...variant.cmake,
    ...(variant.addon ? [`-DGRANULE_ENGINE_OBJECTS=${join(root, OBJECTS_FOLDER)}`] : []),
    `-DGRANULE_WERROR=${strict ? 'ON' : 'OFF'}`,
    ...(findProgram('ninja') === undefined ? [] : ['-G', 'Ninja']),
    ...(findProgram('ccache') === undefined ? [] : ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache']),
  ];
}

/** The folder that holds doctest/doctest.h, as the compiler finds it. */
async function doctestFolder() {
  const compiler = process.env['CXX'] ?? findProgram('c++', 'g++', 'clang++');
  if (compiler === undefined) return undefined;
  const [program, ...prefix] = compiler.split(' ');
  const args = [...prefix, '-x', 'c++', '-include', 'doctest/doctest.h', '-M', '/dev/null'];
  const { code, output } = await runCommand(program, args);
  return code === 0 ? /(\S+)\/doctest\/doctest\.h/.exec(output)?.[1] : undefined;
}

/** Links doctest alone into build-native/, for a compiler of another architecture. */
function linkDoctest(folder) {
  const link = join(root, 'build-native', 'doctest', 'doctest');
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join(folder, 'doctest'), link);
}

/** Says which tests a variant goes without, and why, from CMake's messages. */
function reportLeftOut(name, output) {
  for (const [, message] of output.matchAll(/^-- (left out of .*)$/gm)) console.log(`${name}: ${message}`);
}

/** Says which instruction sets the tests ran on, from their messages. */
function reportInstructionSets(name, output) {
  const message = /MESSAGE: (instruction sets run: .*)/.exec(output)?.[1];
  if (message !== undefined) console.log(`${name}: ${message}`);
}

/** Test cases as doctest counted them; a program that broke off before it could count is one failure. */
function counts(output, code) {
  const cases = [...output.matchAll(/\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed/g)];
  const sum = (group) => cases.reduce((total, match) => total + Number(match[group]), 0);
  const failedPrograms = Number(/(\d+) tests? failed out of/.exec(output)?.[1] ?? (code === 0 ? 0 : 1));
  return { passed: sum(1), failed: Math.max(sum(2), failedPrograms) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const name = args.find((arg) => !arg.startsWith('--')) ?? 'release';
  if (VARIANTS[name] === undefined) {
    console.error(`unknown variant '${name}'; one of ${Object.keys(VARIANTS).join(', ')}`);
    process.exitCode = 2;
  } else {
    const built = await buildNativeTests(name, { strict: args.includes('--strict') });
    if ('skipped' in built) {
      console.log(`native tests (${name}): SKIPPED, ${built.skipped}`);
    } else {
      if (args.includes('--build-only')) process.exit(built.failed ? 1 : 0);
      const result = built.failed ? { passed: 0, failed: 1 } : await runNativeTests(name);
      console.log(`native tests (${name}): ${result.passed} passed, ${result.failed} failed`);
      if (result.failed > 0) process.exitCode = 1;
    }
  }
}

import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureRoofline, rooflineProgram } from '../dist/esm/cli/bench/roofline.js';
import { runtimeInfo } from '../dist/esm/index.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a result depends on besides the program. */
export function describeMachine() {
  const processors = cpus();
  const cores = availableParallelism();
  const model = (processors[0]?.model ?? process.arch).trim();
  const { isa, cpuFeatures, compiler, version } = runtimeInfo();
  const name = `${model} ${cores} cores`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return {
    name,
    cpu: model,
    cores,
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    granule: version,
    isa,
    cpuFeatures,
    compiler,
  };
}

/**
 * The roofline at each number of threads; builds the program first where that is possible.
 *
 * @returns `{ rooflines, reason }`: one per number of threads, or none and why
 */
export async function measureRooflines(threadCounts) {
  const reason = buildRoofline();
  const program = rooflineProgram();
  if (program === undefined) return { rooflines: [], reason };
  const rooflines = [];
  for (const threads of threadCounts) rooflines.push(await measureRoofline(program, threads));
  return { rooflines, reason: undefined };
}

/** Of two measurements with the same number of threads, the greater of each figure. */
export function better(a, b = a) {
  const greater = (name) => Math.max(a[name], b[name]);
  return {
    ...a,
    readBytesPerSecond: greater('readBytesPerSecond'),
    copyBytesPerSecond: greater('copyBytesPerSecond'),
    freshBytesPerSecond: greater('freshBytesPerSecond'),
    f32OperationsPerSecond: greater('f32OperationsPerSecond'),
    int8OperationsPerSecond: greater('int8OperationsPerSecond'),
  };
}

function buildRoofline() {
  const folder = join(ROOT, 'build', 'bench');
  const run = (args) => execFileSync('cmake', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    run(['-S', '.', '-B', folder, '-DCMAKE_BUILD_TYPE=Release', '-DBUILD_TESTING=OFF']);
    run(['--build', folder, '--target', 'granule_roofline', '--config', 'Release']);
    return undefined;
  } catch (error) {
    const said = String(error.stderr ?? '')
      .trim()
      .split('\n')
      .at(-1);
    return `granule_roofline cannot be built: ${said || error.message}`;
  }
}

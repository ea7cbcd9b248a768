import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Debian's own Python, which sees Debian's packages. */
const PYTHON = '/usr/bin/python3';

/**
 * A contender written in Python, in `<file>` beside this one.
 *
 * @param modules what it imports
 * @param kind of the workloads that it has an operation for
 * @param copies as in contender-list.mjs
 * @param install command that installs the modules
 */
export function python({ name, file, modules, kind, copies = () => 1, install }) {
  const probe = (source) => execFileSync(PYTHON, ['-c', source], { stdio: ['ignore', 'pipe', 'pipe'] });
  return {
    name,
    exact: true,
    claimsBits: false,
    copies,
    program: (request) => [PYTHON, [fileURLToPath(new URL(file, import.meta.url)), request]],
    kinds: [kind],
    absent() {
      try {
        probe(modules.map((module) => `import ${module}`).join('\n'));
        return undefined;
      } catch {
        return `${PYTHON} cannot import ${modules.join(' and ')}: ${install}`;
      }
    },
    environment: (threads, cpuFeatures) => ({
      OMP_NUM_THREADS: String(threads),
      OPENBLAS_NUM_THREADS: String(threads),
      // Idle threads that spin would take the cores from each other.
      OMP_WAIT_POLICY: 'PASSIVE',
      // The kernels that Debian's OpenBLAS chooses on newer processors are slow ones.
      ...(cpuFeatures.includes('avx512f') && { OPENBLAS_CORETYPE: 'SKYLAKEX' }),
    }),
  };
}

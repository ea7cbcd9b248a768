import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { availableInstructionSets } from './instruction-set.js';

it('every instruction set that runs here has a conformance file', () => {
  for (const isa of availableInstructionSets()) {
    expect(
      existsSync(path.join(import.meta.dirname, `${isa}.test.ts`)),
      `test/conformance/${isa}.test.ts`,
    ).toBe(true);
  }
});

it('the scalar kernels are always there', () => {
  expect(availableInstructionSets()).toContain('scalar');
});

it.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
  'no instruction set of this processor is left out',
  () => {
    const flags = new Set(
      /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' '),
    );
    const available = availableInstructionSets();
    expect(available.includes('avx2')).toBe(
      ['sse4_2', 'avx2', 'fma', 'f16c'].every((flag) => flags.has(flag)),
    );
    expect(available.includes('avxvnni')).toBe(available.includes('avx2') && flags.has('avx_vnni'));
    expect(available.includes('avx512')).toBe(
      ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'].every((flag) => flags.has(flag)),
    );
    expect(available.includes('avx512vnni')).toBe(available.includes('avx512') && flags.has('avx512_vnni'));
  },
);

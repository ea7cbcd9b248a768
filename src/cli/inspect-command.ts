import type { Command } from 'commander';
import { type RuntimeInfo, runtimeInfo } from '../native/runtime-info.js';
import type { CommandContext } from './command-context.js';

/** `granule inspect`: says what runs here and why. */
export function addInspectCommand(program: Command, context: CommandContext): void {
  program
    .command('inspect')
    .description('show the version, the processor, the kernels chosen and why, and whether CUDA was found')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
GRANULE_ISA=scalar (or another instruction set that is listed) forces the kernels.

Example:
  $ granule inspect`,
    )
    .action((options: { json?: true }) => {
      const info = runtimeInfo();
      context.print(options.json ? JSON.stringify(info) : describe(info));
    });
}

function describe(info: RuntimeInfo): string {
  const rows: [string, string][] = [
    ['granule', `${info.version} (backend interface ${info.abi}, built with ${info.compiler})`],
    ['node', `${info.node} on ${process.platform}-${process.arch}`],
    ['cpu features', info.cpuFeatures.join(' ') || 'none of those that matter here'],
    ['instruction set', `${info.isa}: ${info.isaReason}`],
    ['available', info.isaAvailable.join(' ')],
    ['threads', String(info.threads)],
    ...info.backends.map(({ name, available, reason }): [string, string] => [
      name,
      `${available ? 'found' : 'not found'}${reason === '' ? '' : `: ${reason}`}`,
    ]),
    ...Object.entries(info.kernels).map(([operation, symbol]): [string, string] => [operation, symbol]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

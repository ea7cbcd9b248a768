import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** The addon as the loader finds it in this repository. */
export const ADDON_FILE = path.resolve(import.meta.dirname, '../../build/Release/granule.node');

/** The instruction sets that this processor runs, asked in a process of its own: this one loads the addon once. */
export function availableInstructionSets(): string[] {
  const script = `
    const target = { exports: {} };
    process.dlopen(target, ${JSON.stringify(ADDON_FILE)});
    target.exports.initialize(Error);
    console.log(JSON.stringify(target.exports.runtimeInfo().isaAvailable));
  `;
  const env = { ...process.env };
  delete env['GRANULE_ISA'];
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', env }));
}

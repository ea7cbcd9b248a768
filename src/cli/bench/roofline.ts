import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import packageRoot from '../../native/package-root.cjs';

/** What a machine can do at most, by loops made for nothing else. */
export interface Roofline {
  readonly threads: number;
  /** Instruction set of the loops. */
  readonly isa: string;
  /** Instruction of the int8 loop. */
  readonly int8Instruction: string;
  /** Bytes of memory that were read: far more than the caches hold. */
  readonly bufferBytes: number;
  readonly readBytesPerSecond: number;
  /** Bytes read plus bytes written. */
  readonly copyBytesPerSecond: number;
  /** Bytes of memory that the system gives out, a page at its first touch. */
  readonly freshBytesPerSecond: number;
  /** A multiply-add counts as two operations. */
  readonly f32OperationsPerSecond: number;
  readonly int8OperationsPerSecond: number;
}

/** Where `cmake --build build/bench --target granule_roofline` puts the program, or undefined where it was not built. */
export function rooflineProgram(): string | undefined {
  const name = process.platform === 'win32' ? 'granule_roofline.exe' : 'granule_roofline';
  const program = join(packageRoot(), 'build', 'bench', name);
  return existsSync(program) ? program : undefined;
}

/**
 * Measures this machine; takes a few seconds.
 *
 * @param threads - threads that work at once
 * @param mebibytes - memory to read; more than the caches hold
 */
export async function measureRoofline(program: string, threads: number, mebibytes = 1024): Promise<Roofline> {
  const { stdout } = await promisify(execFile)(program, [String(threads), String(mebibytes)]);
  return JSON.parse(stdout) as Roofline;
}

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GranuleError } from '../../errors.js';
import packageRoot from '../../native/package-root.cjs';

/**
 * Finds the entry file of `onnxruntime-node`, an optional peer dependency: beside this package, else beside the program
 * in the working directory. Nothing is loaded here: the native runtime is loaded in the session's worker only.
 *
 * @param runtime - path of the package or of its entry file, where it lies somewhere else
 * @throws GranuleError `MODEL_RUNTIME_MISSING` with every place that was tried and how to install it
 */
export function locateOnnxRuntime(runtime?: string): string {
  const request = runtime ?? 'onnxruntime-node';
  const failures: string[] = [];
  for (const folder of runtime === undefined ? [packageRoot, process.cwd] : [process.cwd]) {
    try {
      return createRequire(join(folder(), 'package.json')).resolve(request);
    } catch (error) {
      failures.push((error as Error).message.split('\n', 1)[0]!);
    }
  }
  throw new GranuleError(
    'MODEL_RUNTIME_MISSING',
    `ONNX models need the package onnxruntime-node, which was not found (${failures.join('; ')}). ` +
      'Install it beside this package: npm install onnxruntime-node',
    { package: 'onnxruntime-node', tried: failures },
  );
}

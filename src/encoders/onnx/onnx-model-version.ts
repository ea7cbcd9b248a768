import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/**
 * What tells two encoders apart: 16 hexadecimal digits of a SHA-256 over the content of the model's files, the settings
 * that change its vectors, and the numbers that it is given besides. The same files and settings give the same version
 * on every little-endian machine.
 *
 * @param settings - plain JSON, built with its keys always in the same order
 */
export async function onnxModelVersion(
  files: readonly string[],
  settings: object,
  numbers: readonly (Float32Array | Float64Array)[] = [],
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = createHash('sha256');
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }))
      content.update(chunk as Buffer);
    hash.update(content.digest());
  }
  for (const array of numbers) hash.update(array);
  return hash.update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}

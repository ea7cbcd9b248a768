import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GranuleError } from '../../errors.js';

const require = createRequire(import.meta.url);

/**
 * Path of a country's flag: the SVG of shape 4:3 in the npm package `flag-icons` (MIT).
 *
 * @param cca2 - the country's two letters (ISO 3166-1), in either case
 * @throws GranuleError `INVALID_ARGUMENT` for anything but two letters, `FILE_NOT_FOUND` where there is no such flag
 */
export function flagPath(cca2: string): string {
  if (!/^[A-Za-z]{2}$/.test(cca2)) {
    throw new GranuleError('INVALID_ARGUMENT', `a country code is two letters, got "${cca2}"`, { cca2 });
  }
  const folder = dirname(require.resolve('flag-icons/package.json'));
  const path = join(folder, 'flags', '4x3', `${cca2.toLowerCase()}.svg`);
  if (!existsSync(path)) {
    throw new GranuleError('FILE_NOT_FOUND', `flag-icons has no flag for "${cca2}"`, { cca2, path });
  }
  return path;
}

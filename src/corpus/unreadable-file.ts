import { GranuleError } from '../errors.js';

/** A handler for the failure to open or read `path`: throws GranuleError `FILE_NOT_FOUND` with the system's reason. */
export function unreadableFile(path: string): (cause: Error) => never {
  return (cause) => {
    throw new GranuleError(
      'FILE_NOT_FOUND',
      `cannot read ${path}: ${cause.message}`,
      { file: path },
      { cause },
    );
  };
}

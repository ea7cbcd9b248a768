import { GranuleError } from '../../errors.js';

/** What the database thread says of an error. */
export interface ThreadError {
  readonly message: string;
  /** SQLite's own: 'SQLITE_FULL' ... */
  readonly code?: string;
}

/** What SQLite says where the system refuses to write. */
const NOT_WRITABLE = /^SQLITE_(?:FULL|READONLY|IOERR|CANTOPEN|PERM)/;

/**
 * An error of SQLite as one of ours.
 *
 * @param doing - whether it came while the corpus was changed
 */
export function databaseError(file: string, doing: 'read' | 'write', error: ThreadError): GranuleError {
  const { message, code = '' } = error;
  const details = { file, sqlite: code };
  if (code.startsWith('SQLITE_BUSY')) {
    return new GranuleError('CORPUS_LOCKED', `${file} is held by another program: ${message}`, details);
  }
  if (doing === 'write' && NOT_WRITABLE.test(code)) {
    return new GranuleError('FILE_NOT_WRITABLE', `cannot write ${file}: ${message}`, details);
  }
  if (code.startsWith('SQLITE_NOMEM')) return new GranuleError('OUT_OF_MEMORY', message, details);
  return new GranuleError('CORPUS_INVALID', `${file} cannot be used: ${message}`, details);
}

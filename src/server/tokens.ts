import { createHash, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { GranuleError } from '../errors.js';
import type { Tokens } from './server-options.js';

/** Fewest characters of a token: 128 bits in hexadecimal. */
const SHORTEST = 32;
const LARGEST_FILE = 65_536;

/** What a token lets its bearer do. */
export type Access = 'read' | 'write';

/**
 * Reads tokens from a JSON file `{ "read": "...", "write": "..." }`, of which one may be absent. A token has at least 32
 * letters, digits or characters of `-._~+/=`, and the file is readable by its owner only.
 *
 * @throws GranuleError `FILE_NOT_FOUND`, `TOKEN_FILE_INVALID`
 */
export async function readTokens(file: string): Promise<Tokens> {
  const handle = await open(file, 'r').catch((cause: Error) => {
    throw new GranuleError(
      'FILE_NOT_FOUND',
      `${file} cannot be opened: ${cause.message}`,
      { file },
      { cause },
    );
  });
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > LARGEST_FILE) throw invalid(file, 'is not a small file');
    // Windows has no such bits.
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
      throw invalid(file, 'can be read by others than its owner: chmod 600 it');
    }
    return parseTokens(file, await handle.readFile('utf8'));
  } finally {
    await handle.close();
  }
}

function parseTokens(file: string, text: string): Tokens {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(file, 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(file, 'does not hold a JSON object');
  }
  const entries = Object.entries(value);
  if (entries.length === 0) throw invalid(file, 'holds no token');
  for (const [name, token] of entries) {
    if (name !== 'read' && name !== 'write') throw invalid(file, `has a field other than "read" and "write"`);
    if (typeof token !== 'string' || token.length < SHORTEST || !/^[\w.~+/=-]+$/.test(token)) {
      throw invalid(file, `needs a "${name}" token of at least ${SHORTEST} letters, digits or -._~+/=`);
    }
  }
  const tokens = value as Tokens;
  if (tokens.read !== undefined && tokens.read === tokens.write) {
    throw invalid(file, 'has the same token for reading and writing');
  }
  return tokens;
}

function invalid(file: string, reason: string): GranuleError {
  return new GranuleError('TOKEN_FILE_INVALID', `the token file ${file} ${reason}`, { file });
}

/** Compares tokens in a time that does not tell how much of one is right. */
export class TokenCheck {
  readonly #digests: readonly { readonly access: Access; readonly digest: Buffer }[];

  constructor(tokens: Tokens) {
    this.#digests = (['read', 'write'] as const).flatMap((access) =>
      tokens[access] === undefined ? [] : [{ access, digest: sha256(tokens[access]) }],
    );
  }

  /** What the header `Authorization: Bearer <token>` grants; undefined where it is none of the tokens. */
  accessOf(authorization: string | undefined): Access | undefined {
    const given = sha256(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    let granted: Access | undefined;
    // Every token is compared, whichever fits.
    for (const { access, digest } of this.#digests) if (timingSafeEqual(digest, given)) granted = access;
    return granted;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

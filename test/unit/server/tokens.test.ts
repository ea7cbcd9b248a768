import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTokens, TokenCheck } from '../../../src/server/tokens.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';

const READ = 'r'.repeat(32);
const WRITE = 'w'.repeat(32);

function tokenFile(text: string, mode = 0o600): string {
  const file = join(temporaryFolder(), 'tokens.json');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe('readTokens', () => {
  it('reads one token or both', async () => {
    for (const tokens of [{ read: READ }, { write: WRITE }, { read: READ, write: WRITE }]) {
      expect(await readTokens(tokenFile(JSON.stringify(tokens)))).toEqual(tokens);
    }
  });

  it.each([0o640, 0o604, 0o660, 0o644, 0o601])(
    'refuses a file of mode %o, which others may use',
    async (mode) => {
      const file = tokenFile(JSON.stringify({ read: READ }), mode);
      await expect(readTokens(file)).rejects.toMatchObject({ code: 'TOKEN_FILE_INVALID', details: { file } });
    },
  );

  it.each([
    ['', /JSON/],
    ['secret', /JSON/],
    ['[]', /object/],
    ['null', /object/],
    ['{}', /no token/],
    [JSON.stringify({ read: READ, admin: READ }), /other than/],
    [JSON.stringify({ read: READ.slice(1) }), /at least 32/],
    [JSON.stringify({ read: `${READ} ` }), /at least 32/],
    [JSON.stringify({ read: 1 }), /at least 32/],
    [JSON.stringify({ read: READ, write: READ }), /same token/],
  ])('refuses %s, without repeating it', async (text, message) => {
    const error = await readTokens(tokenFile(text)).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'TOKEN_FILE_INVALID', message: expect.stringMatching(message) });
    expect(error.message).not.toContain('rrr');
  });

  it('says which file is not there, or is none', async () => {
    await expect(readTokens('/nowhere/tokens.json')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    const folder = join(temporaryFolder(), 'folder');
    mkdirSync(folder, { mode: 0o700 });
    await expect(readTokens(folder)).rejects.toMatchObject({ code: 'TOKEN_FILE_INVALID' });
  });
});

describe('TokenCheck', () => {
  it('grants what a token is for', () => {
    const check = new TokenCheck({ read: READ, write: WRITE });
    expect(check.accessOf(`Bearer ${READ}`)).toBe('read');
    expect(check.accessOf(`BEARER  ${WRITE} `)).toBe('write');
    for (const wrong of [
      undefined,
      '',
      'Bearer ',
      READ,
      `Bearer ${READ}${WRITE}`,
      `Bearer ${READ} ${WRITE}`,
    ]) {
      expect(check.accessOf(wrong), wrong).toBeUndefined();
    }
    expect(new TokenCheck({ write: WRITE }).accessOf(`Bearer ${READ}`)).toBeUndefined();
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES, readJsonl } from '../../../src/corpus/jsonl-reader.js';
import { temporaryFolder } from './temporary-folder.js';

async function read(contents: string | Uint8Array) {
  const path = join(temporaryFolder(), 'a.jsonl');
  writeFileSync(path, contents);
  const lines: (readonly [number, unknown])[] = [];
  for await (const line of readJsonl(path)) {
    lines.push([line.line, 'value' in line ? line.value : line.error.code]);
  }
  return lines;
}

describe('readJsonl', () => {
  it('reads lines with LF, CRLF, a byte order mark, and a last line that is not ended', async () => {
    expect(await read('\ufeff{"a":1}\r\n{"a":2}\n{"a":3}')).toEqual([
      [1, { a: 1 }],
      [2, { a: 2 }],
      [3, { a: 3 }],
    ]);
  });

  it('passes over blank lines but counts them', async () => {
    expect(await read('\n  \r\n1\n\n2\n\n')).toEqual([
      [3, 1],
      [5, 2],
    ]);
  });

  it('gives nothing for an empty file', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('\ufeff')).toEqual([]);
  });

  it('refuses what is not JSON by its line and goes on', async () => {
    expect(await read('{"a":1}\n{oops\n{"a":3}')).toEqual([
      [1, { a: 1 }],
      [2, 'CORPUS_LINE_INVALID'],
      [3, { a: 3 }],
    ]);
  });

  it('refuses invalid UTF-8 by its line and goes on', async () => {
    const bytes = Buffer.concat([Buffer.from('"ok"\n"'), Buffer.from([0xc3, 0x28]), Buffer.from('"\n"ä"')]);
    expect(await read(bytes)).toEqual([
      [1, 'ok'],
      [2, 'CORPUS_LINE_INVALID'],
      [3, 'ä'],
    ]);
  });

  it('reads a character that is split between two reads', async () => {
    const padding = ' '.repeat(65_534);
    expect(await read(`${padding}"äöü"\n"ß"`)).toEqual([
      [1, 'äöü'],
      [2, 'ß'],
    ]);
  });

  it('reads a line of megabytes', async () => {
    const long = 'x'.repeat(5_000_000);
    expect(await read(`1\n"${long}"\n2`)).toEqual([
      [1, 1],
      [2, long],
      [3, 2],
    ]);
  });

  it('refuses a line beyond the limit and goes on behind it', async () => {
    const bytes = Buffer.alloc(MAX_LINE_BYTES + 5, 0x31);
    bytes.write('0\n', 0);
    bytes.write('\n7', bytes.length - 2);
    expect(await read(bytes)).toEqual([
      [1, 0],
      [2, 'CORPUS_LINE_INVALID'],
      [3, 7],
    ]);
  });

  it('reports a file that is not there', async () => {
    await expect(readJsonl('/nowhere/a.jsonl').next()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

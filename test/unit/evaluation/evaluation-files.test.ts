import fs, { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readTextLines } from '../../../src/evaluation/files/text-lines.js';
import { readTrecQrels, writeTrecQrels } from '../../../src/evaluation/files/trec-qrels.js';
import { readTrecRun, writeTrecRun } from '../../../src/evaluation/files/trec-run.js';
import { type Run, trecOrder } from '../../../src/evaluation/run.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';

function file(content: string | Uint8Array, name = 'file.txt'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

async function linesOf(path: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { first, lines } of readTextLines(path)) {
    expect(first).toBe(all.length + 1);
    all.push(...lines);
  }
  return all;
}

const refused = (code: string, message: string, details: object = {}) =>
  expect.objectContaining({
    code,
    message: expect.stringContaining(message),
    details: expect.objectContaining(details),
  });

describe('lines of a text file', () => {
  it.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['one line without its end', 'a', ['a']],
    ['one line', 'a\n', ['a']],
    ['empty lines', '\n\na\n', ['', '', 'a']],
    ['a byte order mark', '\ufeffa\nb', ['a', 'b']],
    ['a mark that is no first character', 'a\n\ufeffb', ['a', '\ufeffb']],
    ['characters of several bytes', 'é\n\u{1F600}\n', ['é', '\u{1F600}']],
  ])('of %s', async (_, text, expected) => {
    expect(await linesOf(file(text))).toEqual(expected);
    expect(await linesOf(file(gzipSync(text)))).toEqual(expected);
  });

  it('are the same wherever the pieces of a long file end', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => 'é'.repeat(i % 17) + i);
    expect(await linesOf(file(lines.join('\n')))).toEqual(lines);
    const oneLong = `${'x'.repeat(300_000)}é`;
    expect(await linesOf(file(`a\n${oneLong}\nb`))).toEqual(['a', oneLong, 'b']);
  });

  it('of several gzip members one after the other', async () => {
    expect(await linesOf(file(Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd')])))).toEqual([
      'a',
      'bc',
      'd',
    ]);
  });

  it('that are not UTF-8 are refused by their number', async () => {
    const bytes = Buffer.concat([Buffer.from('ok\nfine\nb'), Buffer.from([0xe9]), Buffer.from('d\nok\n')]);
    const path = file(bytes);
    await expect(linesOf(path)).rejects.toThrowError(
      refused('EVALUATION_FILE_INVALID', `${path}:3: the line is not UTF-8`, { file: path, line: 3 }),
    );
  });

  it('of a compressed file that was cut short are refused', async () => {
    const whole = gzipSync('line\n'.repeat(1000));
    await expect(linesOf(file(whole.subarray(0, whole.length - 12)))).rejects.toThrowError(
      refused('EVALUATION_FILE_INVALID', 'not whole gzip'),
    );
  });

  it('may be left unread', async () => {
    for (const content of ['a\nb\n'.repeat(100_000), gzipSync('a\nb\n'.repeat(100_000))]) {
      for await (const { lines } of readTextLines(file(content))) {
        expect(lines[0]).toBe('a');
        break;
      }
    }
  });

  it('of no file, or of a folder, are refused', async () => {
    await expect(linesOf('/nowhere/qrels')).rejects.toThrowError(
      refused('FILE_NOT_FOUND', 'cannot read /nowhere/qrels', { file: '/nowhere/qrels' }),
    );
    await expect(linesOf(temporaryFolder())).rejects.toThrowError(refused('FILE_NOT_FOUND', 'cannot read'));
  });
});

describe('qrels of TREC', () => {
  it('are read between white space, whatever follows the fourth column', async () => {
    const path = file('301 0 A 1\n  301\t\tx \t B   -1 \r\n302 Q0 A +2 more junk\n301 0 C 0');
    expect(await readTrecQrels(path)).toEqual(
      new Map([
        [
          '301',
          new Map([
            ['A', 1],
            ['B', -1],
            ['C', 0],
          ]),
        ],
        ['302', new Map([['A', 2]])],
      ]),
    );
  });

  it.each<[string, string, number, string, string]>([
    ['too few columns', '1 0 a 1\n1 0 b\n', 2, 'EVALUATION_FILE_INVALID', 'has 3 columns; qrels have 4'],
    ['an empty line', '1 0 a 1\n\n1 0 b 1\n', 2, 'EVALUATION_FILE_INVALID', 'has 0 columns'],
    ['a relevance that is no number', '1 0 a high\n', 1, 'EVALUATION_FILE_INVALID', 'relevance "high"'],
    ['a relevance with decimals', '1 0 a 0.5\n', 1, 'EVALUATION_FILE_INVALID', 'relevance "0.5"'],
    ['a relevance beyond 32 bits', '1 0 a 4294967296\n', 1, 'EVALUATION_FILE_INVALID', 'below 10^9'],
    [
      'a document twice',
      '1 0 a 1\n2 0 a 1\n1 0 a 1\n',
      3,
      'DUPLICATE_ID',
      'document a is judged twice for query 1',
    ],
  ])('with %s are refused with file and line', async (_, text, line, code, message) => {
    const path = file(text);
    await expect(readTrecQrels(path)).rejects.toThrowError(refused(code, message, { file: path, line }));
    await expect(readTrecQrels(path)).rejects.toThrowError(refused(code, `${path}:${line}: `));
  });

  it('read back as they were written, compressed too', async () => {
    const qrels = new Map([
      [
        'q1',
        new Map([
          ['d1', 3],
          ['é', -2],
        ]),
      ],
      ['2', new Map([['d1', 0]])],
    ]);
    for (const name of ['out.qrels', 'out.qrels.gz']) {
      const path = join(temporaryFolder(), name);
      await writeTrecQrels(path, qrels);
      expect(await readTrecQrels(path)).toEqual(qrels);
    }
  });

  it('with ids that are no columns, or grades that are no numbers, are not written', async () => {
    const folder = temporaryFolder();
    const openSoon = fs.open;
    // The file is opened late, so that it would appear after the failure has taken it away.
    const open = vi
      .spyOn(fs, 'open')
      .mockImplementation(((...call: Parameters<typeof openSoon>) =>
        setTimeout(() => openSoon(...call), 5)) as never);
    try {
      for (const [query, document, grade] of [
        ['', 'd', 1],
        ['q', 'a b', 1],
        ['q', '\ud800', 1],
        ['q', 'd', 0.5],
      ] as const) {
        await expect(
          writeTrecQrels(join(folder, 'qrels'), new Map([[query, new Map([[document, grade]])]])),
        ).rejects.toThrowError(refused('INVALID_ARGUMENT', ''));
      }
      expect(open).toHaveBeenCalledTimes(4);
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      open.mockRestore();
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('runs of TREC', () => {
  it('are read between white space, whatever follows the sixth column; the rank and the order of lines are passed over', async () => {
    const path = file(
      'q1 Q0 a 7 1.5 mine\n\tq2\t0\tb\t1\t-2e-3\tother more\r\nq1 Q0 b 7 .5 mine\nq2 Q0 a 1 -INF x',
    );
    expect(await readTrecRun(path)).toEqual({
      tag: 'mine',
      queries: new Map([
        ['q1', { documents: ['a', 'b'], scores: Float64Array.of(1.5, 0.5) }],
        ['q2', { documents: ['b', 'a'], scores: Float64Array.of(-0.002, Number.NEGATIVE_INFINITY) }],
      ]),
    });
  });

  it.each<[string, string, number, string, string]>([
    ['too few columns', 'q Q0 a 1 2.0\n', 1, 'EVALUATION_FILE_INVALID', 'has 5 columns; a run has 6'],
    [
      'a score that is no number',
      'q Q0 a 1 1 t\nq Q0 b 1 nan t\n',
      2,
      'EVALUATION_FILE_INVALID',
      'score "nan"',
    ],
    ['a score of another base', 'q Q0 a 1 0x10 t\n', 1, 'EVALUATION_FILE_INVALID', 'score "0x10"'],
    ['a comma for the point', 'q Q0 a 1 0,5 t\n', 1, 'EVALUATION_FILE_INVALID', 'score "0,5"'],
    [
      'a document twice',
      'q Q0 a 1 1 t\nr Q0 a 1 1 t\nq Q0 a 2 0 t\n',
      3,
      'DUPLICATE_ID',
      'document a comes twice for query q',
    ],
  ])('with %s are refused with file and line', async (_, text, line, code, message) => {
    const path = file(text);
    await expect(readTrecRun(path)).rejects.toThrowError(refused(code, message, { file: path, line }));
    await expect(readTrecRun(path)).rejects.toThrowError(refused(code, `${path}:${line}: `));
  });

  const id = fc.stringMatching(/^[!-~é\u{1F600}]{1,8}$/u);
  const list = fc.uniqueArray(fc.record({ document: id, score: fc.double({ noNaN: true }) }), {
    selector: ({ document }) => document,
    minLength: 1,
    maxLength: 8,
  });

  it('read back as they were written, every score the same number, in the order of trec_eval', async () => {
    const folder = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(id, fc.dictionary(id, list), fc.boolean(), async (tag, lists, compressed) => {
        const queries = new Map(
          Object.entries(lists).map(([query, items]) => [
            query,
            {
              documents: items.map(({ document }) => document),
              scores: Float64Array.from(items, ({ score }) => score),
            },
          ]),
        );
        const path = join(folder, compressed ? 'a.run.gz' : 'a.run');
        await writeTrecRun(path, { tag, queries });
        const read = await readTrecRun(path);
        expect(read.tag).toBe(queries.size === 0 ? '' : tag);
        expect([...read.queries.keys()]).toEqual([...queries.keys()]);
        for (const [query, written] of queries) {
          const order = trecOrder(written);
          const { documents, scores } = read.queries.get(query)!;
          expect(documents).toEqual(Array.from(order, (i) => written.documents[i]));
          expect(scores).toEqual(Float64Array.from(order, (i) => written.scores[i]!));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are written with ranks from 1 and as few digits as a score needs', async () => {
    const path = join(temporaryFolder(), 'a.run');
    const scores = Float64Array.of(0.1, 2, 1 / 3, -0);
    await writeTrecRun(path, {
      tag: 't',
      queries: new Map([['q', { documents: ['a', 'b', 'c', 'd'], scores }]]),
    });
    expect(readFileSync(path, 'utf8')).toBe(
      'q Q0 b 1 2 t\nq Q0 c 2 0.3333333333333333 t\nq Q0 a 3 0.1 t\nq Q0 d 4 -0 t\n',
    );
  });

  it('that cannot be written leave what was there', async () => {
    const path = file('before');
    const one = (document: string, score: number, tag = 't'): Run => ({
      tag,
      queries: new Map([['q', { documents: [document], scores: Float64Array.of(score) }]]),
    });
    await expect(writeTrecRun(path, one('a', Number.NaN))).rejects.toThrowError(
      refused('NOT_FINITE', 'document a'),
    );
    await expect(writeTrecRun(path, one('a b', 1))).rejects.toThrowError(
      refused('INVALID_ARGUMENT', '"a b"'),
    );
    await expect(writeTrecRun(path, one('a', 1, ''))).rejects.toThrowError(
      refused('INVALID_ARGUMENT', 'the tag ""'),
    );
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(join(path, '..'))).toEqual(['file.txt']);
    await expect(writeTrecRun('/nowhere/a.run', one('a', 1))).rejects.toThrowError(
      refused('FILE_NOT_WRITABLE', 'cannot write /nowhere/a.run'),
    );
  });
});

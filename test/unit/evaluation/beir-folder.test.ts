import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  type BeirDocument,
  beirDocumentText,
  readBeirCorpus,
  readBeirQrels,
  readBeirQueries,
} from '../../../src/evaluation/files/beir-folder.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';

function folder(files: Record<string, string | Uint8Array>): string {
  const root = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

async function corpus(root: string): Promise<BeirDocument[]> {
  const documents: BeirDocument[] = [];
  for await (const document of readBeirCorpus(root)) documents.push(document);
  return documents;
}

const CORPUS =
  '{"_id": "d1", "title": "Wings", "text": "They lift.", "metadata": {}}\n\n{"_id": "d2", "text": "Alone."}\n';

describe('a BEIR folder', () => {
  it('has documents, of which title and text are searched', async () => {
    const documents = await corpus(folder({ 'corpus.jsonl': CORPUS }));
    expect(documents).toEqual([
      { id: 'd1', title: 'Wings', text: 'They lift.' },
      { id: 'd2', title: '', text: 'Alone.' },
    ]);
    expect(documents.map(beirDocumentText)).toEqual(['Wings They lift.', 'Alone.']);
  });

  it('may be compressed', async () => {
    const root = folder({ 'corpus.jsonl.gz': gzipSync(CORPUS), 'qrels/dev.tsv.gz': gzipSync('q\td\t1\n') });
    expect(await corpus(root)).toHaveLength(2);
    expect((await readBeirQrels(root, 'dev')).get('q')).toEqual(new Map([['d', 1]]));
  });

  it('has queries by id', async () => {
    const root = folder({ 'queries.jsonl': '{"_id": "1", "text": "what lifts"}\n{"_id": "0", "text": "é"}' });
    expect([...(await readBeirQueries(root))]).toEqual([
      ['1', 'what lifts'],
      ['0', 'é'],
    ]);
  });

  it('has judgements by split, with headings or without; ids may hold blanks', async () => {
    const root = folder({
      'qrels/test.tsv': 'query-id\tcorpus-id\tscore\r\n1\td1\t2\r\n1\td 2\t0\r\n',
      'qrels/dev.tsv': '1\td1\t1\n',
    });
    expect(await readBeirQrels(root)).toEqual(
      new Map([
        [
          '1',
          new Map([
            ['d1', 2],
            ['d 2', 0],
          ]),
        ],
      ]),
    );
    expect(await readBeirQrels(root, 'dev')).toEqual(new Map([['1', new Map([['d1', 1]])]]));
  });

  it.each<[string, string, string, number, string]>([
    ['corpus.jsonl', `${CORPUS}{"_id": "d3"}`, 'EVALUATION_FILE_INVALID', 4, 'has no text'],
    ['corpus.jsonl', '{"text": "x"}', 'EVALUATION_FILE_INVALID', 1, 'has no _id'],
    ['corpus.jsonl', 'null', 'EVALUATION_FILE_INVALID', 1, 'has no _id'],
    ['corpus.jsonl', '{"_id": "d", "text": "x", "title": 1}', 'EVALUATION_FILE_INVALID', 1, 'its title'],
    ['corpus.jsonl', '{"_id"', 'EVALUATION_FILE_INVALID', 1, 'not JSON'],
    [
      'queries.jsonl',
      '{"_id":"a","text":"x"}\n{"_id":"a","text":"y"}',
      'DUPLICATE_ID',
      2,
      'query a comes twice',
    ],
    ['qrels/test.tsv', 'query-id\tcorpus-id\tscore\n1 d1 1\n', 'EVALUATION_FILE_INVALID', 2, 'has 1 columns'],
    [
      'qrels/test.tsv',
      'query-id\tcorpus-id\tscore\n1\td1\tx\n',
      'EVALUATION_FILE_INVALID',
      2,
      'relevance "x"',
    ],
    ['qrels/test.tsv', '1\td1\t1\n1\td1\t1\n', 'DUPLICATE_ID', 2, 'judged twice'],
  ])('%s with %j is refused (%s, line %d: %s)', async (name, content, code, line, message) => {
    const root = folder({ [name]: content });
    const read = {
      'corpus.jsonl': corpus,
      'queries.jsonl': readBeirQueries,
      'qrels/test.tsv': readBeirQrels,
    }[name]!;
    await expect(read(root)).rejects.toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(`${name}:${line}: .*${message}`) }),
    );
  });

  it('that lacks a file is refused by its name', async () => {
    const root = folder({});
    for (const read of [corpus, readBeirQueries, readBeirQrels]) {
      await expect(read(root)).rejects.toThrowError(expect.objectContaining({ code: 'FILE_NOT_FOUND' }));
    }
    await expect(readBeirQrels(root)).rejects.toThrowError(/qrels.test\.tsv/);
  });
});

const cranfield = resolve('../shared/data/cranfield/corpus.jsonl');
const present = existsSync(cranfield);
describe.skipIf(!present)(
  `the Cranfield corpus${present ? '' : ' (skipped: ../shared/data is absent)'}`,
  () => {
    it('has 1,400 documents', async () => {
      const documents = await corpus(dirname(cranfield));
      expect(documents).toHaveLength(1400);
      expect(new Set(documents.map(({ id }) => id)).size).toBe(1400);
      expect(beirDocumentText(documents[0]!)).toMatch(/^experimental investigation of the aerodynamics/);
    });
  },
);

import { GranuleError } from '../../errors.js';
import type { Qrels } from '../qrels.js';
import { checkedField } from './checked-field.js';
import { fieldsOf, invalidLine, readTextLines } from './text-lines.js';
import { writeText } from './write-text.js';

/**
 * Reads relevance judgements of TREC: `query iteration document relevance` on each line, between white space, the second column and
 * whatever follows the fourth unread. The file may be compressed by gzip.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `EVALUATION_FILE_INVALID` with file and line; `DUPLICATE_ID` for a document judged twice for a query
 */
export async function readTrecQrels(file: string): Promise<Qrels> {
  const builder = new QrelsBuilder(file);
  for await (const { first, lines } of readTextLines(file)) {
    for (const [i, text] of lines.entries()) {
      const fields = fieldsOf(text);
      if (fields.length < 4) {
        throw invalidLine(
          file,
          first + i,
          `has ${fields.length} columns; qrels have 4: query, iteration, document, relevance`,
        );
      }
      builder.add(first + i, fields[0]!, fields[2]!, fields[3]!);
    }
  }
  return builder.qrels;
}

/**
 * Writes relevance judgements in TREC's form, replacing the file when all is written; compressed by gzip where its name ends in `.gz`.
 *
 * @throws GranuleError `FILE_NOT_WRITABLE`; `INVALID_ARGUMENT` for an id that is empty or holds white space, or a relevance that is no
 *   whole number
 */
export async function writeTrecQrels(file: string, qrels: Qrels): Promise<void> {
  await writeText(file, linesOf(qrels));
}

function* linesOf(qrels: Qrels): Generator<string> {
  for (const [query, judgements] of qrels) {
    const start = `${checkedField(query, 'query id')} 0`;
    for (const [document, relevance] of judgements) {
      if (!Number.isSafeInteger(relevance)) {
        throw new GranuleError(
          'INVALID_ARGUMENT',
          `the relevance of ${document} for ${query} is ${relevance}`,
        );
      }
      yield `${start} ${checkedField(document, 'document id')} ${relevance}\n`;
    }
  }
}

/** Collects judgements line by line. */
export class QrelsBuilder {
  readonly qrels = new Map<string, Map<string, number>>();
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws GranuleError `EVALUATION_FILE_INVALID` where the relevance is no whole number, `DUPLICATE_ID` */
  add(line: number, query: string, document: string, relevance: string): void {
    if (!/^[+-]?\d{1,9}$/.test(relevance)) {
      throw invalidLine(
        this.#file,
        line,
        `relevance ${JSON.stringify(relevance)} is no whole number below 10^9`,
      );
    }
    let judgements = this.qrels.get(query);
    if (judgements === undefined) {
      judgements = new Map();
      this.qrels.set(query, judgements);
    }
    if (judgements.has(document)) {
      throw new GranuleError(
        'DUPLICATE_ID',
        `${this.#file}:${line}: document ${document} is judged twice for query ${query}`,
        { file: this.#file, line, id: document, query },
      );
    }
    judgements.set(document, Number(relevance));
  }
}

import { GranuleError } from '../../errors.js';
import { type Run, type RunList, trecOrder } from '../run.js';
import { checkedField } from './checked-field.js';
import { fieldsOf, invalidLine, readTextLines } from './text-lines.js';
import { writeText } from './write-text.js';

interface GrowingList {
  readonly documents: string[];
  readonly scores: number[];
  readonly seen: Set<string>;
}

/**
 * Reads a run of TREC: `query Q0 document rank score tag` on each line, between white space; whatever follows the sixth column is
 * unread, and so are the second and the rank. The tag is that of the first line. The file may be compressed by gzip.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `EVALUATION_FILE_INVALID` with file and line; `DUPLICATE_ID` for a document that comes twice for a query
 */
export async function readTrecRun(file: string): Promise<Run> {
  const growing = new Map<string, GrowingList>();
  let tag = '';
  for await (const { first, lines } of readTextLines(file)) {
    for (const [i, text] of lines.entries()) {
      const line = first + i;
      const fields = fieldsOf(text);
      if (fields.length < 6) {
        throw invalidLine(
          file,
          line,
          `has ${fields.length} columns; a run has 6: query, Q0, document, rank, score, tag`,
        );
      }
      if (line === 1) tag = fields[5]!;
      const [query, , document, , score] = fields as [string, string, string, string, string];
      let list = growing.get(query);
      if (list === undefined) {
        list = { documents: [], scores: [], seen: new Set() };
        growing.set(query, list);
      }
      if (list.seen.has(document)) {
        throw new GranuleError(
          'DUPLICATE_ID',
          `${file}:${line}: document ${document} comes twice for query ${query}`,
          {
            file,
            line,
            id: document,
            query,
          },
        );
      }
      list.seen.add(document);
      list.documents.push(document);
      list.scores.push(scoreOf(score) ?? refuseScore(file, line, score));
    }
  }
  return { tag, queries: new Map([...growing].map(([query, list]) => [query, finished(list)])) };
}

function finished({ documents, scores }: GrowingList): RunList {
  return { documents, scores: Float64Array.from(scores) };
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

/** Undefined where it is no number. */
function scoreOf(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  const infinite = INFINITY.exec(text);
  if (infinite === null) return undefined;
  return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function refuseScore(file: string, line: number, score: string): never {
  throw invalidLine(file, line, `score ${JSON.stringify(score)} is no number`);
}

/**
 * Writes a run in TREC's form, each query's documents in the order of trec_eval with ranks from 1, replacing the file when all is
 * written; compressed by gzip where its name ends in `.gz`. Scores have as many digits as they need to read back the same.
 *
 * @throws GranuleError `FILE_NOT_WRITABLE`; `INVALID_ARGUMENT` for an id or tag that is empty or holds white space; `NOT_FINITE` for a
 *   score that is not a number
 */
export async function writeTrecRun(file: string, run: Run): Promise<void> {
  await writeText(file, linesOf(run));
}

function* linesOf({ tag, queries }: Run): Generator<string> {
  const end = checkedField(tag, 'tag');
  for (const [query, list] of queries) {
    const start = `${checkedField(query, 'query id')} Q0`;
    for (const [place, i] of trecOrder(list).entries()) {
      const document = checkedField(list.documents[i]!, 'document id');
      yield `${start} ${document} ${place + 1} ${digitsOf(list.scores[i]!, document)} ${end}\n`;
    }
  }
}

function digitsOf(score: number, document: string): string {
  if (Number.isNaN(score)) {
    throw new GranuleError('NOT_FINITE', `the score of document ${document} is not a number`, { document });
  }
  return Object.is(score, -0) ? '-0' : String(score);
}

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { GranuleError } from '../../errors.js';
import type { Qrels } from '../qrels.js';
import { invalidLine, readTextLines } from './text-lines.js';
import { QrelsBuilder } from './trec-qrels.js';

/** A document of a BEIR folder. */
export interface BeirDocument {
  readonly id: string;
  /** Empty where there is none. */
  readonly title: string;
  readonly text: string;
}

/** What is encoded and searched of a document: title, a blank, text; the text alone where there is no title. */
export function beirDocumentText({ title, text }: BeirDocument): string {
  return title === '' ? text : `${title} ${text}`;
}

/**
 * Reads `corpus.jsonl` of a BEIR folder document by document: one JSON object with `_id` (or `id`), `text` and perhaps `title` on each
 * line. `corpus.jsonl.gz` is read where there is no `corpus.jsonl`.
 *
 * Source: "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models" (2021).
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `EVALUATION_FILE_INVALID` with file and line
 */
export async function* readBeirCorpus(folder: string): AsyncGenerator<BeirDocument> {
  for await (const { item } of readItems(await existing(join(folder, 'corpus.jsonl')))) yield item;
}

/**
 * Reads `queries.jsonl` of a BEIR folder: the text of each query by its id, of all splits; the judgements say which are of a split.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `EVALUATION_FILE_INVALID` with file and line; `DUPLICATE_ID`
 */
export async function readBeirQueries(folder: string): Promise<ReadonlyMap<string, string>> {
  const file = await existing(join(folder, 'queries.jsonl'));
  const queries = new Map<string, string>();
  for await (const { line, item } of readItems(file)) {
    if (queries.has(item.id)) {
      throw new GranuleError('DUPLICATE_ID', `${file}:${line}: query ${item.id} comes twice`, {
        file,
        line,
        id: item.id,
      });
    }
    queries.set(item.id, item.text);
  }
  return queries;
}

/**
 * Reads `qrels/<split>.tsv` of a BEIR folder.
 *
 * @param split - default `test`
 * @throws GranuleError as `readBeirQrelsFile`
 */
export async function readBeirQrels(folder: string, split = 'test'): Promise<Qrels> {
  return readBeirQrelsFile(await existing(join(folder, 'qrels', `${split}.tsv`)));
}

/**
 * Reads judgements of BEIR: a first line of headings, then `query document relevance` between tabs on each line.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `EVALUATION_FILE_INVALID` with file and line; `DUPLICATE_ID` for a document judged twice for a query
 */
export async function readBeirQrelsFile(file: string): Promise<Qrels> {
  const builder = new QrelsBuilder(file);
  for await (const { first, lines } of readTextLines(file)) {
    for (const [i, text] of lines.entries()) {
      const line = first + i;
      const columns = text.replace(/\r$/, '').split('\t');
      if (columns.length !== 3) {
        throw invalidLine(
          file,
          line,
          `has ${columns.length} columns between tabs; there must be 3: query, document, relevance`,
        );
      }
      const [query, document, relevance] = columns as [string, string, string];
      // Some files have no headings: the first line is one where its last column is no number.
      if (line === 1 && !/^[+-]?\d+$/.test(relevance)) continue;
      builder.add(line, query, document, relevance);
    }
  }
  return builder.qrels;
}

async function* readItems(file: string): AsyncGenerator<{ line: number; item: BeirDocument }> {
  for await (const { first, lines } of readTextLines(file)) {
    for (const [i, text] of lines.entries()) {
      const line = first + i;
      if (text.trim() !== '') {
        yield { line, item: parseItem(text, (reason) => invalidLine(file, line, reason)) };
      }
    }
  }
}

function parseItem(line: string, refuse: (reason: string) => GranuleError): BeirDocument {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw refuse(`not JSON: ${(error as Error).message}`);
  }
  const { _id: own, id: plain, title = '', text } = (value ?? {}) as Record<string, unknown>;
  const id = own ?? plain;
  if (typeof id !== 'string' || id === '') throw refuse('has no _id');
  if (typeof text !== 'string') throw refuse('has no text');
  if (typeof title !== 'string') throw refuse('its title is no text');
  return { id, title, text };
}

/** The file, or where there is none and one compressed by gzip is, that. */
async function existing(file: string): Promise<string> {
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  return !(await isThere(file)) && (await isThere(`${file}.gz`)) ? `${file}.gz` : file;
}

import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { GranuleError } from '../../errors.js';
import { checkKeys, show } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkTowerVectors } from '../towers/tower-vectors.js';

/** Queries whose right documents are known. Lists hold one entry per query; documents are named by their rows. */
export interface JudgedQueries {
  /** n x d frozen vectors. */
  readonly vectors: Matrix;
  /** Per query the documents that answer it; at least one. */
  readonly positives: readonly ArrayLike<number>[];
  /** Per query documents that do not answer it though they look it; none by default. */
  readonly negatives?: readonly ArrayLike<number>[] | undefined;
  /** Per query the grades of its positives, by row: whole numbers above 0. One without a grade has 1. */
  readonly grades?: readonly (ReadonlyMap<number, number> | undefined)[] | undefined;
}

/** What a retriever is trained on. */
export interface RetrieverData {
  /** m x d frozen vectors. */
  readonly documents: Matrix;
  readonly train: JudgedQueries;
  /** Queries that are measured and never trained on; without them there is no early stopping. */
  readonly dev?: JudgedQueries | undefined;
}

const NUMBERS_PER_LOOK = 1 << 16;

/**
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`; `TRAINING_DATA_INVALID` with `details.query` and `details.set`
 * for a query that teaches nothing or contradicts itself
 */
export async function checkRetrieverData(
  data: RetrieverData,
  signal: AbortSignal | undefined,
): Promise<void> {
  checkKeys(data, ['documents', 'train', 'dev']);
  const { documents, train, dev } = data;
  const turns = new EventLoopTurns(signal);
  await checkFinite(documents, 'documents', turns);
  if (documents.rows < 2) {
    throw invalid(`there must be two documents or more, got ${documents.rows}`, {});
  }
  for (const [set, queries] of Object.entries({ train, dev })) {
    if (queries === undefined && set === 'dev') continue;
    checkTowerVectors(queries?.vectors as Matrix, queries?.vectors?.columns as number, `${set}.vectors`);
    checkQueries(queries!, set, documents.rows);
    await checkFinite(queries!.vectors, `${set}.vectors`, turns);
  }
}

function checkQueries(queries: JudgedQueries, set: string, documents: number): void {
  if (typeof queries !== 'object' || queries === null || !Array.isArray(queries.positives)) {
    throw new GranuleError('INVALID_ARGUMENT', `${set} must have vectors, and positives for each`);
  }
  checkKeys(queries, ['vectors', 'positives', 'negatives', 'grades']);
  const { vectors, positives, negatives, grades } = queries;
  const { rows } = vectors;
  if (rows === 0) throw invalid(`${set} holds no queries`, { set });
  for (const [name, lists] of Object.entries({ positives, negatives, grades })) {
    if (lists !== undefined && lists.length !== rows) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `${set}.${name} has ${lists.length} entries for ${rows} queries`,
        { length: lists.length, rows },
      );
    }
  }
  for (let query = 0; query < rows; query++) {
    const place = { set, query };
    const right = new Set(rowsOf(positives[query]!, documents, `a positive of ${set} query ${query}`));
    if (right.size === 0) throw invalid(`${set} query ${query} has no positives`, place);
    for (const row of rowsOf(negatives?.[query] ?? [], documents, `a negative of ${set} query ${query}`)) {
      if (right.has(row)) {
        throw invalid(`document ${row} is a positive and a negative of ${set} query ${query}`, place);
      }
    }
    for (const [row, grade] of grades?.[query] ?? []) {
      if (!right.has(row) || !Number.isSafeInteger(grade) || grade < 1) {
        throw invalid(
          `${set} query ${query} gives document ${row} the grade ${show(grade)}; grades are whole numbers above 0, of positives`,
          place,
        );
      }
    }
  }
}

function rowsOf(list: ArrayLike<number>, documents: number, what: string): number[] {
  const rows = Array.from(list);
  const wrong = rows.find((row) => !Number.isSafeInteger(row) || row < 0 || row >= documents);
  if (wrong !== undefined) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${what} must be a row below ${documents}, got ${show(wrong)}`,
    );
  }
  return rows;
}

async function checkFinite(vectors: Matrix, name: string, turns: EventLoopTurns): Promise<void> {
  const data = checkTowerVectors(vectors, vectors?.columns, name);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      const [row, column] = [Math.floor(i / vectors.columns), i % vectors.columns];
      throw new GranuleError('NOT_FINITE', `${name}, row ${row}, column ${column} is ${data[i]}`, {
        row,
        column,
      });
    }
    if (i % NUMBERS_PER_LOOK === 0 && turns.over) await turns.pass();
  }
}

function invalid(message: string, details: Record<string, string | number>): GranuleError {
  return new GranuleError('TRAINING_DATA_INVALID', message, details);
}

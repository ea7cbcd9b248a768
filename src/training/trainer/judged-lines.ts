import type { CorpusEncoders } from '../../corpus/encoder-records.js';
import type { CorpusSnapshot } from '../../corpus/snapshot/corpus-snapshot.js';
import { GranuleError } from '../../errors.js';
import { pseudoRelevance } from '../../evaluation/pseudo-relevance.js';
import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';
import type { CorpusSpace } from './corpus-space.js';
import { pickedRows } from './picked-rows.js';
import type { JudgedQueries } from './training-data.js';
import { invalidLine, type TrainingLine } from './training-lines.js';

/** Examples as the trainer takes them. */
export interface JudgedLines {
  readonly queries: JudgedQueries;
  /** Lines that were left out, for none of the best passages holds an answer of theirs. */
  readonly withoutAnswer: readonly TrainingLine[];
}

/** What examples are judged by. */
export interface Judging {
  readonly snapshot: CorpusSnapshot;
  readonly encoders: CorpusEncoders;
  readonly space: CorpusSpace;
  /** Best passages in which answers are looked for. */
  readonly answerDepth: number;
  /** Is called after each picture that was encoded. */
  readonly onPicture: () => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Encodes queries and finds the rows that their ids stand for. Where a line has answers only, those of the best passages which hold one
 * are its positives, and the others, which nobody has judged, are nothing.
 *
 * @throws GranuleError `TRAINING_DATA_INVALID` for the first line with an unknown id, a grade or a negative that contradicts its positives, or where no
 * line is left; what encoders and snapshot throw
 */
export async function judgedLines(lines: readonly TrainingLine[], judging: Judging): Promise<JudgedLines> {
  const { space } = judging;
  const known = lines.map((line) => knownRows(line, space));
  const vectors = await queryVectors(lines, judging);
  const withoutAnswer: TrainingLine[] = [];
  const kept: number[] = [];
  const positives: (readonly number[])[] = [];
  for (const [i, line] of lines.entries()) {
    const right =
      line.positives.length > 0
        ? known[i]!.positives
        : await rowsWithAnswer(line.answers, matrixRow(vectors, i), judging);
    if (right.length === 0) {
      withoutAnswer.push(line);
      continue;
    }
    kept.push(i);
    positives.push(right);
  }
  if (kept.length === 0) {
    throw new GranuleError(
      'TRAINING_DATA_INVALID',
      `no example has a positive: none of the best ${judging.answerDepth} passages for its question holds an answer of it`,
    );
  }
  return {
    queries: {
      vectors: pickedRows(vectors, kept),
      positives,
      negatives: kept.map((i, place) => {
        const right = new Set(positives[place]);
        return known[i]!.negatives.filter((row) => !right.has(row));
      }),
      grades: kept.map((i) => known[i]!.grades),
    },
    withoutAnswer,
  };
}

interface KnownRows {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
  readonly grades: ReadonlyMap<number, number>;
}

function knownRows(line: TrainingLine, space: CorpusSpace): KnownRows {
  const rowsOf = (id: string): readonly number[] => {
    const rows = space.rowsOf(id);
    if (rows !== undefined) return rows;
    const what =
      space.kind === 'passages'
        ? 'a passage, a document or an entity with passages'
        : 'an image or an entity with images';
    throw invalidLine(line.file, line.line, `"${id}" is not the id of ${what} in this knowledge base`);
  };
  const positives = [...new Set(line.positives.flatMap(rowsOf))];
  const clash = line.negatives.find((id) => line.positives.includes(id));
  if (clash !== undefined) throw invalidLine(line.file, line.line, `"${clash}" is a positive and a negative`);
  const grades = new Map(
    Object.entries(line.grades).flatMap(([id, grade]) => rowsOf(id).map((row) => [row, grade] as const)),
  );
  return { positives, negatives: line.negatives.flatMap(rowsOf), grades };
}

async function queryVectors(
  lines: readonly TrainingLine[],
  { encoders, space, onPicture, signal }: Judging,
): Promise<Matrix> {
  const options = signal === undefined ? {} : { signal };
  if (space.kind === 'passages') {
    const texts = lines.map(({ query }) => query!);
    return (await encoders.textEncoder.encodeQueries(texts, options)).vectors;
  }
  const data = new Float32Array(lines.length * space.vectors.columns);
  for (const [i, line] of lines.entries()) {
    const picture = await encoders.imageEncoder.encodeQuery(line.image!, options).catch(ofLine(line));
    // The first view is the whole picture.
    data.set(matrixRow(picture.views, 0), i * space.vectors.columns);
    picture.release?.();
    onPicture();
  }
  return matrix(data, space.vectors.columns);
}

/** A handler for what an encoder throws: an image that is missing or cannot be read is reported with its line. */
function ofLine({ place, file, line }: TrainingLine): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof GranuleError) || error.code === 'ABORTED') throw error;
    const { code, message, details } = error;
    throw new GranuleError(code, `${place}: ${message}`, { ...details, file, line }, { cause: error });
  };
}

async function rowsWithAnswer(
  answers: readonly string[],
  query: Float32Array,
  { snapshot, space, answerDepth, signal }: Judging,
): Promise<number[]> {
  const hits = await snapshot.searchPassages(matrix(query, query.length), { k: answerDepth, signal });
  const rows = Array.from(hits.rows.subarray(0, hits.counts[0]));
  const passages = await snapshot.passages(rows);
  return rows
    .filter((_, i) => pseudoRelevance(passages[i]!.text, answers) !== 'none')
    .map((row) => space.numberOf(row));
}

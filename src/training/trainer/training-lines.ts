import { dirname, resolve } from 'node:path';
import { readJsonl } from '../../corpus/jsonl-reader.js';
import { GranuleError } from '../../errors.js';

/** An example: a query and what is known of its answer. */
export interface TrainingLine {
  /** Where it stands, for messages: `train.jsonl, line 3`. */
  readonly place: string;
  readonly file: string;
  readonly line: number;
  /** Either a text or a picture's path. */
  readonly query?: string;
  readonly image?: string;
  /** Ids of passages, documents or entities; of images or entities for a picture. */
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
  /** Of positives. */
  readonly grades: Readonly<Record<string, number>>;
  /** Texts that a passage must hold to be a positive, where there are no positives. */
  readonly answers: readonly string[];
  /** What keeps lines together where examples are divided. */
  readonly group?: string;
}

const KEYS = ['query', 'image', 'positives', 'negatives', 'grades', 'answers', 'group'];

/**
 * Reads examples, one JSON object per line:
 *
 *     {"query": "text"} or {"image": "file"}, with "positives": ["id", ...] or "answers": ["text", ...],
 *     and, where wanted, "negatives": ["id", ...], "grades": {"id": 2}, "group": "id"
 *
 * An image's path is relative to the file. What has a grade is a positive.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_DATA_INVALID` with `details.file` and `.line` for the first line of another form, or for a
 * file without lines
 */
export async function readTrainingLines(file: string): Promise<TrainingLine[]> {
  const lines: TrainingLine[] = [];
  for await (const read of readJsonl(file)) {
    const { line } = read;
    if ('error' in read) throw invalidLine(file, line, read.error.message);
    lines.push(trainingLine(read.value, file, line));
  }
  if (lines.length === 0) {
    throw new GranuleError('TRAINING_DATA_INVALID', `${file} holds no examples`, { file });
  }
  return lines;
}

/** @throws GranuleError `TRAINING_DATA_INVALID` */
export function invalidLine(file: string, line: number, what: string): GranuleError {
  return new GranuleError('TRAINING_DATA_INVALID', `${file}, line ${line}: ${what}`, { file, line });
}

function trainingLine(value: unknown, file: string, line: number): TrainingLine {
  const refuse = (what: string): never => {
    throw invalidLine(file, line, what);
  };
  if (!isObject(value)) return refuse('the line must be a JSON object');
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) refuse(`unknown key "${unknown}"; known are ${KEYS.join(', ')}`);
  const text = (name: string): string | undefined => {
    const given = value[name];
    if (given === undefined) return undefined;
    return typeof given === 'string' && given.trim() !== ''
      ? given
      : refuse(`"${name}" must be a text that is not blank`);
  };
  const texts = (name: string): readonly string[] => {
    const given = value[name] ?? [];
    const right =
      Array.isArray(given) && given.every((item) => typeof item === 'string' && item.trim() !== '');
    return right ? given : refuse(`"${name}" must be a list of texts that are not blank`);
  };
  const [query, image, group] = [text('query'), text('image'), text('group')];
  if ((query === undefined) === (image === undefined)) refuse('it needs "query" or "image", and not both');
  const grades = value['grades'] ?? {};
  if (
    !isObject(grades) ||
    !Object.values(grades).every((grade) => Number.isSafeInteger(grade) && (grade as number) >= 1)
  ) {
    refuse('"grades" must give ids whole numbers above 0');
  }
  const positives = [...new Set([...texts('positives'), ...Object.keys(grades as object)])];
  const answers = texts('answers');
  if (positives.length === 0 && answers.length === 0) refuse('it has neither positives nor answers');
  if (image !== undefined && positives.length === 0)
    refuse('an image needs positives: answers are looked for in passages');
  return {
    place: `${file}, line ${line}`,
    file,
    line,
    ...(query !== undefined && { query }),
    ...(image !== undefined && { image: resolve(dirname(file), image) }),
    positives,
    negatives: texts('negatives'),
    grades: grades as Record<string, number>,
    answers,
    ...(group !== undefined && { group }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

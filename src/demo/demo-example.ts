import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { MiRagAnswer } from '../systems/mirag-answer.js';
import type { OpenedMiRag } from '../systems/open-mirag.js';
import { pictureInput } from './picture-source.js';
import type { PictureTask } from './picture-workers.js';

/** A question that the demo shows, with its answer. */
export interface DemoExample {
  /** The picture's file name. */
  readonly picture: string;
  readonly answered: MiRagAnswer;
  /** File name of the picture with the matched patches outlined, where an entity was found. */
  readonly matches: string | undefined;
}

/** Options of {@link askDemoExample}. */
export interface DemoExampleOptions {
  /** Counted from 1; part of the file names. */
  readonly number: number;
  /** Folder that receives the pictures. */
  readonly output: string;
  readonly signal?: AbortSignal;
}

/** Asks one question; writes the picture, where it was made, and the picture with the matched patches outlined. */
export async function askDemoExample(
  opened: OpenedMiRag,
  { question, picture }: PictureTask,
  { number, output, signal }: DemoExampleOptions,
): Promise<DemoExample> {
  const image = await pictureInput(picture);
  const name = 'file' in picture ? basename(picture.file) : `picture-${number}.jpg`;
  if (typeof image !== 'string') await writeFile(join(output, name), image);
  const answered = await opened.mirag.ask(
    { question: question.question, image },
    { ...(signal && { signal }) },
  );
  return { picture: name, answered, matches: undefined };
}

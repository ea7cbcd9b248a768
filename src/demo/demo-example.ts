import { writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { MiRagAnswer } from '../systems/mirag-answer.js';
import type { OpenedMiRag } from '../systems/open-mirag.js';
import { outlinePatches } from './pictures/patch-outline.js';
import { pictureInput } from './pictures/picture-source.js';
import type { PictureTask } from './pictures/picture-workers.js';

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
  const hit = answered.entities.find(({ item }) => item.id === answered.entity?.id) ?? answered.entities[0];
  if (hit?.item.image === undefined || hit.matches === undefined) {
    return { picture: name, answered, matches: undefined };
  }
  const stem = name.slice(0, name.length - extname(name).length);
  const matches = 'file' in picture ? `${number}-${stem}-matches.jpg` : `${stem}-matches.jpg`;
  const outlined = await outlinePatches({
    picture: image,
    entityImage: hit.item.image,
    matches: hit.matches,
    ...(hit.region && { region: hit.region }),
  });
  await writeFile(join(output, matches), outlined);
  return { picture: name, answered, matches };
}

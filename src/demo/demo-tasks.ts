import { countryQuestions } from './countries/country-questions.js';
import { placeQuestions } from './countries/place-questions.js';
import type { PictureTask } from './pictures/picture-workers.js';
import type { KnownPicture } from './truth-file.js';

/** What to ask about. */
export interface DemoTaskOptions {
  readonly seed: number;
  /** How many questions. */
  readonly count: number;
  /** Pictures that somebody else made, taken in turn; without them pictures are made. */
  readonly pictures?: readonly KnownPicture[];
}

/** Questions of the evaluation split, each with its picture: the same for a seed on every machine. */
export function demoTasks({ seed, count, pictures }: DemoTaskOptions): PictureTask[] {
  if (pictures === undefined) {
    return countryQuestions({ seed, split: 'evaluation', count }).map((question) => ({
      question,
      picture: { cca2: question.cca2, seed: `${seed} ${question.id}` },
    }));
  }
  const chosen = Array.from({ length: count }, (_, i) => pictures[i % pictures.length]!);
  const countries = chosen.map(({ cca2 }) => cca2);
  return countryQuestions({ seed, split: 'evaluation', countries }).map((question, i) => ({
    question,
    picture: { file: chosen[i]!.file },
  }));
}

/**
 * Questions of the evaluation split about one of several flags, each with its picture: the same for a seed on every
 * machine.
 */
export function severalFlagsTasks({ seed, count }: Omit<DemoTaskOptions, 'pictures'>): PictureTask[] {
  return placeQuestions({ seed, split: 'evaluation', count }).map(({ picture, ...question }) => ({
    question,
    picture,
  }));
}

/** The first task of each kind that a reader understands at once, and then the first others, `count` in all. */
export function shownTasks(tasks: readonly PictureTask[], count: number): PictureTask[] {
  const telling = ['capital', 'currency', 'neighbours', 'languages'];
  const first = telling.map((kind) => tasks.find(({ question }) => question.kind === kind));
  return [...new Set([...first.filter((task) => task !== undefined), ...tasks])].slice(0, count);
}

import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { wholeNumber } from './option-values.js';

const DEFAULT_QUESTIONS = 500;
const DEFAULT_ABLATION = 160;

/** `granule demo`: the whole job on the world's countries, a few answers shown and many measured. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description("build a knowledge base of the world's countries, ask about pictures of flags, and evaluate")
    .option(
      '--questions <n>',
      `questions to evaluate (default: ${DEFAULT_QUESTIONS}, or one per picture)`,
      wholeNumber(1),
    )
    .option(
      '--ablation <n>',
      'of these questions, how many the table of what was learned is about',
      wholeNumber(0),
      DEFAULT_ABLATION,
    )
    .option('--seed <n>', 'another seed asks other questions about other pictures', wholeNumber(0), 1)
    .option('--output <folder>', 'folder for the pictures with the matched patches outlined', 'granule-demo')
    .option('--pictures <folder>', 'use your own pictures: a folder with a truth.jsonl')
    .option('--keep <kb>', 'keep the knowledge base in this new folder')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
The pictures are made on the spot: a flag on a cluttered ground, turned, sheared, lit from one
side, blurred and noisy. A line of truth.jsonl is {"file": "1.jpg", "cca2": "FR"}.

The table compares four systems: (a) the question alone, (b) the entity found in the picture
without late interaction of patches, (c) with it, and (d) the right entity given. A second table
adds what was learned (granule train countries), stage by stage, the mean of three trainings with
its standard deviation in thousandths, over the first questions (--ablation) and half as many more
about pictures of several flags.

Example:
  $ granule demo --keep countries
  $ granule ask countries --image granule-demo/picture-1.jpg "Which countries border it?"`,
    )
    .action(async (options) => {
      const { runDemo } = await import('./run-demo.js');
      await runDemo({ ...options, defaultQuestions: DEFAULT_QUESTIONS }, context);
    });
}

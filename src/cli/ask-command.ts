import type { Command } from 'commander';
import { adaptedBy } from './adapted-by.js';
import { answerText } from './answer-text.js';
import type { CommandContext } from './command-context.js';
import { jsonText } from './json-text.js';

interface AskOptions {
  readonly image: string;
  readonly adapter?: string;
  readonly trace?: true;
  readonly json?: true;
}

/** `granule ask`: answers a question about a picture. */
export function addAskCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('ask')
    .description('answer a question about a picture')
    .argument('<kb>', 'folder that granule ingest made')
    .argument('<question>', 'the question, in quotes')
    .requiredOption('--image <file>', 'the picture')
    .option('--adapter <file>', 'what granule train has taught')
    .option('--trace', 'also show the steps that led to the answer')
    .option('--json', 'print the answer, and all that led to it, as one JSON object')
    .addHelpText(
      'after',
      `
The answer is marked in its passage: bold and underlined on a terminal, unless NO_COLOR is
set, and as [[answer]] elsewhere.

Example:
  $ granule ask my-kb --image picture.jpg "What is the capital of this country?"`,
    );
  command.action(async (kb: string, question: string, options: AskOptions) => {
    if (question.trim() === '') command.error('error: the question is blank', { exitCode: 2 });
    const { openMiRag } = await import('../systems/open-mirag.js');
    const opened = await openMiRag(kb, await adaptedBy(options.adapter));
    try {
      const { signal } = context;
      const answered = await opened.mirag.ask({ question, image: options.image }, { signal });
      context.print(
        options.json
          ? jsonText(answered)
          : answerText(answered, { colour: context.colour, trace: options.trace === true }),
      );
    } finally {
      await opened.dispose();
    }
  });
}

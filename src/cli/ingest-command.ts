import type { Command } from 'commander';
import { Corpus } from '../corpus/corpus.js';
import { builtInEncoders } from '../systems/built-in-encoders.js';
import type { CommandContext } from './command-context.js';

/** `granule ingest`: builds a knowledge base. */
export function addIngestCommand(program: Command, context: CommandContext): void {
  program
    .command('ingest')
    .description('build a knowledge base from a JSONL file or a folder')
    .argument('<source>', 'a corpus.jsonl, a folder that holds one, or a folder of images and texts')
    .requiredOption('--to <kb>', 'folder to make; it must not exist yet')
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
A line of the JSONL file is one entity:
  {"entity": {"id": "fr", "title": "France", "image": "fr.svg"},
   "passages": [{"id": "fr-1", "text": "France. Paris is ..."}], "metadata": {}}
"image" (relative to the file) and "metadata" may be absent. Lines that cannot be taken are
listed on standard error by number; the rest goes on.

In a folder without corpus.jsonl, each image is an entity named by its file, and a .txt or .md
file of the same name is its text.

Example:
  $ granule ingest corpus.jsonl --to my-kb`,
    )
    .action(async (source: string, options: { to: string; json?: true }) => {
      const corpus = await Corpus.create(options.to, builtInEncoders());
      const report = await corpus.ingest(source, {
        signal: context.signal,
        onProgress: ({ stage, done, fraction }) => context.progress.update(stage, done, fraction),
        onRefused: ({ line, code, message }) => context.complain(`line ${line} refused: ${message}`, code),
      });
      corpus.close();
      if (options.json) {
        context.print(JSON.stringify(report));
        return;
      }
      const { taken, refused, entities, passages, images } = report;
      context.print(`${taken} lines taken, ${refused.length} refused`);
      context.print(`${entities} entities, ${passages} passages, ${images} images in ${options.to}`);
    });
}

import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { unreadableFile } from '../corpus/unreadable-file.js';
import type { CommandContext } from './command-context.js';

/** `granule ingest`: builds a knowledge base, or adds to it. */
export function addIngestCommand(program: Command, context: CommandContext): void {
  program
    .command('ingest')
    .description('build a knowledge base from a JSONL file or a folder, or add to it')
    .argument('<source>', 'a corpus.jsonl, a folder that holds one, or a folder of images and texts')
    .requiredOption('--to <kb>', 'folder of the knowledge base; it is made where there is none')
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
A line of the JSONL file is one entity:
  {"entity": {"id": "fr", "title": "France", "image": "fr.svg"},
   "passages": [{"id": "fr-1", "text": "France. Paris is ..."}], "metadata": {}}
"image" (relative to the file) and "metadata" may be absent. Lines that cannot be taken are
listed on standard error by number; the rest goes on. A line takes the place of what is stored
of its entity; so an ingest can be repeated, and goes on where it was interrupted.

In a folder without corpus.jsonl, each image is an entity named by its file, and a .txt or .md
file of the same name is its text.

Example:
  $ granule ingest corpus.jsonl --to my-kb`,
    )
    .action(async (source: string, options: { to: string; json?: true }) => {
      await stat(source).catch(unreadableFile(source));
      const isThere = await stat(join(options.to, 'corpus.sqlite')).catch(() => undefined);
      const { Corpus } = await import('../corpus/corpus.js');
      const { builtInEncodersInThreads } = await import('../systems/built-in-encoders.js');
      const open = isThere === undefined ? Corpus.create : Corpus.open;
      const encoders = builtInEncodersInThreads();
      const corpus = await open(options.to, encoders, { signal: context.signal });
      try {
        const report = await corpus.ingest(source, {
          signal: context.signal,
          onProgress: ({ stage, done, fraction }) => context.progress.update(stage, done, fraction),
          onRefused: ({ line, code, message }) => context.complain(`line ${line} refused: ${message}`, code),
        });
        if (options.json) {
          context.print(JSON.stringify(report));
          return;
        }
        const { taken, added, replaced, unchanged, refused, entities, passages, images } = report;
        context.print(`${taken} lines taken, ${refused.length} refused`);
        context.print(`${entities} entities, ${passages} passages, ${images} images in ${options.to}`);
        context.print(`(${added} lines new, ${replaced} changed, ${unchanged} as they were)`);
      } finally {
        const isEmpty = isThere === undefined && (await corpus.info()).counts.entities === 0;
        await corpus.close();
        await encoders.close();
        // What this command made and could not fill would only be in the way of the next.
        if (isEmpty) await rm(corpus.folder, { recursive: true, force: true });
      }
    });
}

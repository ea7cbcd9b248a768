import type { Command } from 'commander';
import type { Corpus } from '../corpus/corpus.js';
import { GranuleError } from '../errors.js';
import type { CorpusAdapter } from '../training/index.js';
import type { CommandContext } from './command-context.js';

interface Options {
  readonly json?: true;
}

interface ReencodeOptions extends Options {
  readonly adapter?: string;
}

/** `granule verify`, `granule compact` and `granule reencode`: the upkeep of a knowledge base. */
export function addMaintenanceCommands(program: Command, context: CommandContext): void {
  addVerifyCommand(program, context);
  addCompactCommand(program, context);
  addReencodeCommand(program, context);
}

function addVerifyCommand(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .description('read all of a knowledge base and compare it with its checksums; changes nothing')
    .argument('<kb>', 'folder that granule ingest made')
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
Exit status: 0 where all is as it should be, 1 where something is not.

Example:
  $ granule verify my-kb`,
    )
    .action(async (kb: string, options: Options) => {
      const report = await withCorpus(kb, context, { readOnly: true }, (corpus) =>
        corpus.verify({ signal: context.signal }),
      );
      const { problems, leftovers, checked } = report;
      if (options.json) context.print(JSON.stringify(report));
      else {
        for (const leftover of leftovers) context.print(`not needed: ${leftover}`);
        context.print(
          `${checked.rows} vectors and ${checked.images} images checked, ${problems.length} problems`,
        );
      }
      for (const { where, what } of problems) context.complain(`${where}: ${what}`, 'CORPUS_INVALID');
      if (!report.ok) context.fail();
    });
}

function addCompactCommand(program: Command, context: CommandContext): void {
  program
    .command('compact')
    .description('drop what was deleted or replaced from the files of a knowledge base')
    .argument('<kb>', 'folder that granule ingest made')
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
Example:
  $ granule compact my-kb`,
    )
    .action(async (kb: string, options: Options) => {
      const report = await withCorpus(kb, context, {}, (corpus) =>
        corpus.compact({ signal: context.signal }),
      );
      const { passages, images, imageFiles } = report;
      context.print(
        options.json
          ? JSON.stringify(report)
          : `dropped the vectors of ${passages} passages and ${images} images, and ${imageFiles} image files`,
      );
    });
}

function addReencodeCommand(program: Command, context: CommandContext): void {
  program
    .command('reencode')
    .description('encode a knowledge base anew, with what the encoders learn from all that is in it now')
    .argument('<kb>', 'folder that granule ingest made')
    .option('--adapter <file>', 'a tower of documents on top, by granule train --both')
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
Needed where a knowledge base was made with encoders of another version, and useful after much
was added. The former state can be used until the end. What was encoded with an adapter is
opened with the same --adapter; without it, this command brings it back to the encoders alone.

Example:
  $ granule reencode my-kb`,
    )
    .action(async (kb: string, { adapter, ...options }: ReencodeOptions) => {
      const { builtInEncodersInThreads } = await import('../systems/built-in-encoders.js');
      const adapt = adapter === undefined ? undefined : await documentAdapter(adapter);
      const encoders = builtInEncodersInThreads();
      const report = await withCorpus(kb, context, {}, (corpus) =>
        corpus.reencode(
          { ...encoders, ...adapt?.(encoders) },
          {
            signal: context.signal,
            onProgress: ({ stage, done, fraction }) => context.progress.update(stage, done, fraction),
          },
        ),
      ).finally(() => encoders.close());
      for (const { message } of report.unencoded) context.complain(message, 'IMAGE_UNREADABLE');
      context.print(
        options.json
          ? JSON.stringify(report)
          : `${report.passages} passages and ${report.images} images encoded anew`,
      );
    });
}

/** @throws GranuleError `ENCODER_MISMATCH` for an adapter of queries alone, which needs no vector encoded anew */
async function documentAdapter(file: string): Promise<CorpusAdapter['adapt']> {
  const { readCorpusAdapter } = await import('../training/trainer/corpus-adapter.js');
  const { adapt, ofDocuments } = await readCorpusAdapter(file);
  if (ofDocuments) return adapt;
  throw new GranuleError(
    'ENCODER_MISMATCH',
    `${file} has no tower of documents: search, ask, serve and mcp take it with the knowledge base as it is`,
    { file },
  );
}

/** Opens a knowledge base without its encoders, so that one of another version can be kept up too. */
async function withCorpus<T>(
  kb: string,
  context: CommandContext,
  options: { readonly readOnly?: boolean },
  work: (corpus: Corpus) => Promise<T>,
): Promise<T> {
  const { Corpus: corpora } = await import('../corpus/corpus.js');
  const corpus = await corpora.open(kb, undefined, { ...options, signal: context.signal });
  try {
    return await work(corpus);
  } finally {
    await corpus.close();
  }
}

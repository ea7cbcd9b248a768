import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { type CommandContext, processContext } from './command-context.js';

/** Exit statuses: the shell's own convention gives 128 + the signal's number. */
const STATUS = { done: 0, failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

type AddCommand = (program: Command, context: CommandContext) => void;

/** The modules that know the commands, in the order of the help, by the names of their commands. */
const COMMANDS: readonly (readonly [names: readonly string[], load: () => Promise<AddCommand>])[] = [
  [['demo'], async () => (await import('./demo-command.js')).addDemoCommand],
  [['ingest'], async () => (await import('./ingest-command.js')).addIngestCommand],
  [['ask'], async () => (await import('./ask-command.js')).addAskCommand],
  [['search'], async () => (await import('./search-command.js')).addSearchCommand],
  [['serve'], async () => (await import('./serve-command.js')).addServeCommand],
  [['mcp'], async () => (await import('./mcp-command.js')).addMcpCommand],
  [
    ['verify', 'compact', 'reencode'],
    async () => (await import('./maintenance-commands.js')).addMaintenanceCommands,
  ],
  [['inspect'], async () => (await import('./inspect-command.js')).addInspectCommand],
  [['train'], async () => (await import('./train-command.js')).addTrainCommand],
  [['eval'], async () => (await import('./eval-command.js')).addEvalCommand],
  [['export'], async () => (await import('./export-command.js')).addExportCommand],
  [['bench'], async () => (await import('./bench-command.js')).addBenchCommand],
];

/**
 * Runs the command line `granule`.
 *
 * Results go to standard output. Errors go to standard error as one line, `granule: <message> [<CODE>]`.
 *
 * @param args - the arguments after the program's name
 * @returns the exit status: 0, 1 after an error, 2 after a wrong command line, 130 after Ctrl-C
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  let interrupted: 'SIGINT' | 'SIGTERM' | undefined;
  let outputClosed = false;
  let ended = false;
  const interrupt = (name: NodeJS.Signals) => {
    // Whoever presses Ctrl-C twice does not want to wait for an orderly end.
    if (interrupted !== undefined) process.exit(STATUS[interrupted]);
    interrupted = name as 'SIGINT' | 'SIGTERM';
    abort.abort();
  };
  const brokenPipe = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    outputClosed = true;
    abort.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  process.stdout.on('error', brokenPipe);
  process.stderr.on('error', brokenPipe);
  const context = processContext(abort.signal, () => {
    ended = true;
  });
  try {
    const granule = await program(context, args[0]);
    await granule.parseAsync(args, { from: 'user' });
    if (interrupted !== undefined && !ended) return STATUS[interrupted];
    return context.failed ? STATUS.failed : STATUS.done;
  } catch (error) {
    if (outputClosed) return STATUS.done;
    if (interrupted !== undefined) {
      context.complain(context.interruption, 'ABORTED');
      return STATUS[interrupted];
    }
    return report(error, context);
  } finally {
    context.progress.clear();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/**
 * The commands with their options: the one that the first word names, so that nothing of the others is loaded; where it names none,
 * all of them, for the help and for what a mistake may have meant. What a command works with is loaded when it runs.
 */
async function program(context: CommandContext, first: string | undefined): Promise<Command> {
  const { version } = createRequire(import.meta.url)('granule/package.json') as { version: string };
  const granule = new Command('granule')
    .description('Answers questions about pictures from a knowledge base, by exact fine-grained retrieval.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help about a command')
    .configureOutput({ writeErr: () => undefined })
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  $ granule demo
  $ granule ingest corpus.jsonl --to my-kb
  $ granule ask my-kb --image picture.jpg "What is the capital of this country?"
  $ granule serve my-kb

Results go to standard output, errors to standard error as one line with a code.
Exit status: 0 done, 1 an error, 2 a wrong command line, 130 interrupted.`,
    );
  const named = COMMANDS.filter(([names]) => names.some((name) => name === first));
  const wanted = ['-V', '--version'].includes(first ?? '') ? [] : named.length > 0 ? named : COMMANDS;
  for (const add of await Promise.all(wanted.map(([, load]) => load()))) add(granule, context);
  return granule;
}

function report(error: unknown, context: CommandContext): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return STATUS.done;
    const message =
      error.code === 'commander.help'
        ? "a command is needed; 'granule --help' lists them"
        : error.message.replace(/^error: /, '');
    context.complain(message, 'USAGE');
    return STATUS.usage;
  }
  const { message, code } = error as { message?: unknown; code?: unknown };
  const known = error instanceof Error && error.name === 'GranuleError';
  context.complain(
    known ? String(message) : `unexpected error: ${String(message ?? error)}`,
    known ? String(code) : 'INTERNAL',
  );
  return code === 'USAGE' ? STATUS.usage : STATUS.failed;
}

import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { addAskCommand } from './ask-command.js';
import { addBenchCommand } from './bench-command.js';
import { type CommandContext, processContext } from './command-context.js';
import { addDemoCommand } from './demo-command.js';
import { addEvalCommand } from './eval-command.js';
import { addExportCommand } from './export-command.js';
import { addIngestCommand } from './ingest-command.js';
import { addInspectCommand } from './inspect-command.js';
import { addMaintenanceCommands } from './maintenance-commands.js';
import { addMcpCommand } from './mcp-command.js';
import { addSearchCommand } from './search-command.js';
import { addServeCommand } from './serve-command.js';
import { addTrainCommand } from './train-command.js';

/** Exit statuses: the shell's own convention gives 128 + the signal's number. */
const STATUS = { done: 0, failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

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
    await program(context).parseAsync(args, { from: 'user' });
    if (interrupted !== undefined && !ended) return STATUS[interrupted];
    return context.failed ? STATUS.failed : STATUS.done;
  } catch (error) {
    if (outputClosed) return STATUS.done;
    if (interrupted !== undefined) {
      context.complain('interrupted', 'ABORTED');
      return STATUS[interrupted];
    }
    return report(error, context);
  } finally {
    context.progress.clear();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** The commands with their options. What they work with is loaded when one runs: help and mistakes need nothing of it. */
function program(context: CommandContext): Command {
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
  addDemoCommand(granule, context);
  addIngestCommand(granule, context);
  addAskCommand(granule, context);
  addSearchCommand(granule, context);
  addServeCommand(granule, context);
  addMcpCommand(granule, context);
  addMaintenanceCommands(granule, context);
  addInspectCommand(granule, context);
  addTrainCommand(granule, context);
  addEvalCommand(granule, context);
  addExportCommand(granule, context);
  addBenchCommand(granule, context);
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

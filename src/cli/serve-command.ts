import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_PORT, defaultLimits, type ServerLimits } from '../server/server-options.js';
import { adaptedBy } from './adapted-by.js';
import type { CommandContext } from './command-context.js';
import { wholeNumber } from './option-values.js';

/** Options of `granule serve`, as the command line gives them. */
interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly allowHost?: string[];
  readonly allowOrigin?: string[];
  readonly logContents?: true;
  readonly adapter?: string;
  readonly [limit: string]: unknown;
}

/** A limit as an option: what the user gives is multiplied by `unit`. */
interface LimitOption {
  readonly limit: keyof ServerLimits;
  readonly flag: string;
  readonly says: string;
  readonly unit: number;
  readonly least: number;
}

const LIMIT_OPTIONS: readonly LimitOption[] = [
  { limit: 'bodyBytes', flag: 'max-body', says: 'MiB of a request', unit: 1 << 20, least: 1 },
  { limit: 'pixels', flag: 'max-pixels', says: 'millions of pixels of an image', unit: 1e6, least: 1 },
  { limit: 'questionLength', flag: 'max-question', says: 'characters of a question', unit: 1, least: 1 },
  { limit: 'k', flag: 'max-k', says: 'largest k', unit: 1, least: 1 },
  { limit: 'concurrency', flag: 'concurrency', says: 'questions and searches at once', unit: 1, least: 1 },
  { limit: 'queue', flag: 'queue', says: 'requests that wait; more get 429', unit: 1, least: 0 },
  { limit: 'pendingBytes', flag: 'max-pending', says: 'MiB of all requests inside', unit: 1 << 20, least: 1 },
  { limit: 'connections', flag: 'connections', says: 'open connections', unit: 1, least: 1 },
  { limit: 'deadline', flag: 'deadline', says: 'seconds of a request', unit: 1000, least: 1 },
  { limit: 'arrival', flag: 'arrival', says: 'seconds for a request to arrive', unit: 1000, least: 1 },
  {
    limit: 'heartbeat',
    flag: 'heartbeat',
    says: 'seconds between signs of life of a stream',
    unit: 1000,
    least: 1,
  },
  { limit: 'drainDelay', flag: 'drain-delay', says: 'ms of new requests after SIGTERM', unit: 1, least: 0 },
  { limit: 'drain', flag: 'drain', says: 'seconds to finish after SIGTERM', unit: 1000, least: 0 },
];

/** `granule serve`: answers questions over HTTP. */
export function addServeCommand(program: Command, context: CommandContext): void {
  const limits = defaultLimits();
  const command = program
    .command('serve')
    .description('answer questions over HTTP, with a web page')
    .argument('<kb>', 'folder that granule ingest made')
    .option('--host <address>', 'address to listen on; any but loopback needs --token-file', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes a free one', portNumber, DEFAULT_PORT)
    .option('--token-file <file>', 'JSON file with the tokens "read" and "write"')
    .option('--allow-host <name...>', 'further names that clients may use for this server')
    .option('--allow-origin <origin...>', 'origins of web pages elsewhere that may use this server')
    .option('--adapter <file>', 'what granule train has taught')
    .option('--log-contents', 'log addresses and questions, too')
    .addHelpText(
      'after',
      `
Logs one JSON line per request to standard output. Ctrl-C or SIGTERM lets running requests
finish. docs/server.md describes routes, limits and safety.

Example:
  $ granule serve my-kb
  $ granule serve my-kb --host 0.0.0.0 --token-file tokens.json`,
    );
  for (const { limit, flag, says, unit, least } of LIMIT_OPTIONS) {
    const option = new Option(`--${flag} <n>`, `${says} (default: ${limits[limit] / unit})`);
    command.addOption(option.argParser(wholeNumber(least)));
  }
  command.action(async (kb: string, options: ServeOptions) => {
    const [{ GranuleServer }, { openKnowledgeBase }, { readTokens }, { boundAllocator }] = await Promise.all([
      import('../server/server.js'),
      import('../server/corpus-knowledge-base.js'),
      import('../server/tokens.js'),
      import('../native/bound-allocator.js'),
    ]);
    const adapted = await adaptedBy(options.adapter);
    const { host, port, tokenFile, allowHost = [], allowOrigin = [], logContents = false } = options;
    const tokens = tokenFile === undefined ? undefined : await readTokens(tokenFile);
    const chosen = LIMIT_OPTIONS.flatMap(({ limit, flag, unit }) => {
      const value = options[camelCase(flag)];
      return typeof value === 'number' ? [[limit, value * unit] as const] : [];
    });
    // Before the threads start: an arena that is there stays.
    boundAllocator();
    const knowledgeBase = await openKnowledgeBase(kb, {
      writable: tokens?.write !== undefined,
      ...adapted,
    });
    try {
      const server = await GranuleServer.create(knowledgeBase, {
        host,
        port,
        ...(tokens && { tokens }),
        allowedHosts: allowHost,
        allowedOrigins: allowOrigin,
        limits: Object.fromEntries(chosen),
        logContents,
      });
      await server.listen();
      await interrupted(context.signal);
      await server.stop();
      context.doneWhenInterrupted();
    } finally {
      await knowledgeBase.close();
    }
  });
}

function portNumber(value: string): number {
  const port = wholeNumber(0)(value);
  if (port > 65_535) throw new InvalidArgumentError('It must be at most 65535.');
  return port;
}

/** The name under which commander keeps an option. */
function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

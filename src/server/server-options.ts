import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { GranuleError } from '../errors.js';
import type { SchemaLimits } from './schemas.js';

/** What a server lets in, and how much at a time. */
export interface ServerLimits extends SchemaLimits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  /** Width times height of an uploaded image. */
  readonly pixels: number;
  /** Questions and searches that run at the same time. */
  readonly concurrency: number;
  /** Requests that wait beyond those; more are refused. */
  readonly queue: number;
  /** Bytes of the bodies of all requests that wait or run. */
  readonly pendingBytes: number;
  /** Open connections. */
  readonly connections: number;
  /** Milliseconds from a request's arrival to its end. */
  readonly deadline: number;
  /** Milliseconds in which a request must have arrived whole. */
  readonly arrival: number;
  /** Milliseconds between two signs of life in a stream of events. */
  readonly heartbeat: number;
  /** Milliseconds in which a draining server still takes new requests, so that balancers and kept connections notice. */
  readonly drainDelay: number;
  /** Milliseconds that requests have to finish when the server is told to stop. */
  readonly drain: number;
}

/** The tokens that grant access. */
export interface Tokens {
  readonly read?: string;
  /** Grants reading as well. */
  readonly write?: string;
}

/** How a server is reached and by whom. */
export interface ServerOptions {
  /** Address to listen on; default 127.0.0.1. Any but a loopback address needs `tokens`. */
  readonly host?: string;
  /** Default 7890; 0 takes a free one. */
  readonly port?: number;
  readonly tokens?: Tokens;
  /** Names besides localhost that a Host header may give. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages elsewhere that may use the server, as `https://example.org`; default none. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  /** Whether the log holds what was asked; default false. */
  readonly logContents?: boolean;
  /** Where log lines go; default standard output. */
  readonly log?: { write(line: string): void };
  /** Folder of the web page; default the package's own. */
  readonly pageFolder?: string;
}

/** The port, where none is named. */
export const DEFAULT_PORT = 7890;

const MEBIBYTE = 1 << 20;

/** The limits, where none are named. */
export function defaultLimits(): ServerLimits {
  return {
    bodyBytes: 16 * MEBIBYTE,
    pixels: 50_000_000,
    questionLength: 2_000,
    k: 100,
    concurrency: availableParallelism(),
    queue: 128,
    pendingBytes: 256 * MEBIBYTE,
    connections: 1_024,
    deadline: 30_000,
    arrival: 30_000,
    heartbeat: 10_000,
    drainDelay: 500,
    drain: 30_000,
  };
}

/** Options with every default in its place. */
export type SettledOptions = Required<Omit<ServerOptions, 'tokens' | 'limits' | 'log' | 'pageFolder'>> & {
  readonly tokens: Tokens | undefined;
  readonly limits: ServerLimits;
  readonly loopback: boolean;
};

/**
 * Checks options and fills in defaults.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, in particular for an address beyond loopback without tokens
 */
export function settleOptions(options: ServerOptions): SettledOptions {
  const { host = '127.0.0.1', port = DEFAULT_PORT, tokens, logContents = false } = options;
  const { allowedHosts = [], allowedOrigins = [] } = options;
  const limits = { ...defaultLimits(), ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    const least = name === 'queue' || name === 'drain' || name === 'drainDelay' ? 0 : 1;
    // Timers of Node wrap around beyond 2^31 - 1 milliseconds.
    if (!Number.isSafeInteger(value) || value < least || value > 2 ** 31 - 1) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `limits.${name} must be a whole number from ${least}, got ${value}`,
      );
    }
  }
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) {
    throw new GranuleError('INVALID_ARGUMENT', `port must be from 0 to 65535, got ${port}`);
  }
  for (const origin of allowedOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new GranuleError('INVALID_ARGUMENT', `'${origin}' is not an origin such as https://example.org`);
    }
  }
  const loopback = isLoopback(host);
  if (!loopback && tokens === undefined) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${host} can be reached from other machines: a token file is needed to listen there`,
      { host },
    );
  }
  return { host, port, tokens, allowedHosts, allowedOrigins, limits, logContents, loopback };
}

/** Whether only this machine reaches an address. A name other than localhost may mean anything, and counts as open. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { KnowledgeBase } from '../../src/server/knowledge-base.js';
import { GranuleServer } from '../../src/server/server.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { FakeKnowledgeBase } from './fake-knowledge-base.js';

/** A server that listens on a free port of loopback until the test ends. */
export interface RunningServer<K extends KnowledgeBase> {
  readonly server: GranuleServer;
  readonly knowledgeBase: K;
  readonly url: string;
  readonly port: number;
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[];
}

/** Starts a server over a double of a knowledge base. */
export function startServer(options: ServerOptions = {}): Promise<RunningServer<FakeKnowledgeBase>> {
  return serve(new FakeKnowledgeBase(), options);
}

/** Starts a server over `knowledgeBase`. */
export async function serve<K extends KnowledgeBase>(
  knowledgeBase: K,
  options: ServerOptions = {},
): Promise<RunningServer<K>> {
  const log: Record<string, unknown>[] = [];
  const server = await GranuleServer.create(knowledgeBase, {
    port: 0,
    log: { write: (line) => log.push(JSON.parse(line)) },
    ...options,
    limits: { drainDelay: 0, drain: 1_000, ...options.limits },
  });
  const url = await server.listen();
  onTestFinished(() => server.stop());
  return { server, knowledgeBase, url, port: Number(new URL(url).port), log };
}

/** Posts JSON. */
export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
}

/** The code of the error that a reply holds, which has the one form that errors have. */
export async function errorCode(reply: Response): Promise<string> {
  const body = (await reply.json()) as { error: { code: string; message: string } };
  const keys = [Object.keys(body), Object.keys(body.error).sort()];
  if (JSON.stringify(keys) !== '[["error"],["code","message"]]') throw new Error(JSON.stringify(body));
  return body.error.code;
}

/** Sends bytes as they are and collects what comes back until the server closes, or until `milliseconds` have passed. */
export function exchange(port: number, bytes: string | Buffer, milliseconds = 3_000): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    const timer = setTimeout(done, milliseconds);
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.on('error', done).on('close', done);
  });
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, milliseconds = 5_000): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > milliseconds)
      throw new Error(`not within ${milliseconds} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

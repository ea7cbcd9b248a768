import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { GranuleError } from '../errors.js';
import { answerClientError, httpError } from './http-error.js';
import type { KnowledgeBase } from './knowledge-base.js';
import { ServerMetrics } from './metrics.js';
import { PAGE_FOLDER, readPageFiles } from './page-files.js';
import { RequestGuard } from './request-guard.js';
import { RequestLog } from './request-log.js';
import { RequestScope } from './request-scope.js';
import type { RouteContext } from './route-context.js';
import { addQuestionRoutes } from './routes/question-routes.js';
import { addRecordRoutes } from './routes/record-routes.js';
import { addServiceRoutes } from './routes/service-routes.js';
import { type ServerOptions, type SettledOptions, settleOptions } from './server-options.js';
import { WorkQueue } from './work-queue.js';

/** Bytes of a path's parameter: an id of 1,000 UTF-16 units, percent-encoded. */
const PARAMETER_LENGTH = 9_000;
/** A refused body up to this size is read and thrown away, so that the connection can be kept. */
const DISCARDED_BODY = 1 << 20;
/** Milliseconds for replies that say that the server is stopping. */
const LAST_WORDS = 1_000;

/** A server over HTTP for one knowledge base. */
export class GranuleServer {
  readonly #app: FastifyInstance;
  readonly #options: SettledOptions;
  readonly #log: RequestLog;
  readonly #guard: RequestGuard;
  readonly #queue: WorkQueue;
  readonly #metrics: ServerMetrics;
  readonly #shutdown = new AbortController();
  /** The reply that each connection is at. */
  readonly #replies = new WeakMap<Socket, FastifyReply['raw']>();
  /** Connections over which no request has come yet: browsers open some in advance. */
  readonly #unused = new Set<Socket>();
  #stopping: Promise<void> | undefined;
  /** Whether no connection is accepted any more. */
  #closing = false;

  private constructor(knowledgeBase: KnowledgeBase, options: SettledOptions, log: ServerOptions['log']) {
    const { limits } = options;
    this.#options = options;
    this.#log = new RequestLog(log);
    this.#guard = new RequestGuard(options);
    this.#queue = new WorkQueue(limits);
    this.#metrics = new ServerMetrics(this.#queue, knowledgeBase);
    this.#app = fastify({
      logger: false,
      bodyLimit: limits.bodyBytes,
      requestTimeout: limits.arrival,
      connectionTimeout: limits.deadline + LAST_WORDS,
      forceCloseConnections: 'idle',
      return503OnClosing: false,
      routerOptions: { maxParamLength: PARAMETER_LENGTH, caseSensitive: true },
      http: { connectionsCheckingInterval: 1_000, headersTimeout: limits.arrival },
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
      frameworkErrors: (error, request, reply) => this.#refuse(error, request, reply as FastifyReply),
      clientErrorHandler: (error, socket) => answerClientError(error, socket, this.#replies.get(socket)),
    });
    this.#app.server.maxConnections = limits.connections;
    this.#app.server.on('connection', (socket: Socket) => {
      this.#unused.add(socket);
      socket.once('close', () => this.#unused.delete(socket));
    });
  }

  /**
   * Makes a server; it does not listen yet.
   *
   * @param knowledgeBase - is not closed by the server
   * @throws GranuleError `INVALID_ARGUMENT`, in particular for an address beyond loopback without tokens
   */
  static async create(knowledgeBase: KnowledgeBase, options: ServerOptions = {}): Promise<GranuleServer> {
    const server = new GranuleServer(knowledgeBase, settleOptions(options), options.log);
    await server.#addRoutes(knowledgeBase, options.pageFolder ?? PAGE_FOLDER);
    return server;
  }

  /**
   * Begins to listen.
   *
   * @returns the address, as `http://127.0.0.1:7890`
   * @throws GranuleError `LISTEN_FAILED` where the address is taken, is not this machine's, or may not be used
   */
  async listen(): Promise<string> {
    const { host, port } = this.#options;
    try {
      const url = await this.#app.listen({ host, port });
      this.#log.event('listening', { url });
      return url;
    } catch (cause) {
      throw new GranuleError(
        'LISTEN_FAILED',
        `cannot listen on ${host}, port ${port}: ${(cause as Error).message}`,
        { host, port },
        { cause },
      );
    }
  }

  /**
   * Drains: `/readyz` says so, kept connections are closed after their next reply, then no connection is accepted any
   * more, and what runs may finish. What has not ended after `limits.drain` is stopped and answered with `SHUTTING_DOWN`.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    const { drain, drainDelay } = this.#options.limits;
    this.#log.event('draining', { requests: this.#queue.inside });
    await delay(drainDelay);
    this.#closing = true;
    const closed = this.#app.close();
    // Node counts them among those at work, and would wait for them.
    for (const socket of this.#unused) if (socket.bytesRead === 0) socket.destroy();
    const late = setTimeout(() => {
      this.#shutdown.abort(new GranuleError('SHUTTING_DOWN', 'the server is stopping'));
      setTimeout(() => this.#app.server.closeAllConnections(), LAST_WORDS).unref();
    }, drain);
    await closed;
    clearTimeout(late);
    this.#log.event('stopped');
  }

  async #addRoutes(knowledgeBase: KnowledgeBase, pageFolder: string): Promise<void> {
    const app = this.#app;
    const { version } = createRequire(import.meta.url)('granule/package.json') as { version: string };
    const context: RouteContext = {
      knowledgeBase,
      options: this.#options,
      queue: this.#queue,
      metrics: this.#metrics,
      version,
      draining: () => this.#stopping !== undefined,
    };
    // Only JSON and forms are read.
    app.removeContentTypeParser('text/plain');
    // Replies are what the routes return: their schemas describe them, and tests hold them to it.
    app.setSerializerCompiler(() => JSON.stringify);
    app.setErrorHandler((error, request, reply) => this.#refuse(error, request, reply));
    app.setNotFoundHandler((request, reply) =>
      this.#refuse(new GranuleError('NOT_FOUND', 'there is no such route'), request, reply),
    );
    app.decorateRequest('scope');
    app.addHook('onRequest', async (request, reply) => this.#receive(request, reply));
    app.addHook('onSend', async (_, reply) => {
      if (this.#stopping !== undefined) reply.header('connection', 'close');
    });

    const { bodyBytes, questionLength } = this.#options.limits;
    const [{ default: multipart }, { default: swagger }, page] = await Promise.all([
      import('@fastify/multipart'),
      import('@fastify/swagger'),
      readPageFiles(pageFolder),
    ]);
    // A character takes three bytes at most for each of its UTF-16 units.
    const limits = {
      files: 1,
      fields: 8,
      parts: 9,
      fileSize: bodyBytes,
      fieldSize: Math.max(3 * questionLength, 65_536),
      fieldNameSize: 100,
      headerPairs: 20,
    };
    await app.register(multipart, { limits });
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Granule',
          version,
          description:
            'Answers questions about pictures from a knowledge base, by exact fine-grained retrieval.',
        },
        components: {
          securitySchemes: {
            token: { type: 'http', scheme: 'bearer', description: 'Where the server has a token file.' },
          },
        },
        security: [{}, { token: [] }],
      },
    });
    addQuestionRoutes(app, context);
    addRecordRoutes(app, context);
    addServiceRoutes(app, context, page);
    await app.ready();
  }

  /** What every request goes through before its body is read. */
  #receive(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    this.#unused.delete(request.raw.socket);
    this.#replies.set(request.raw.socket, reply.raw);
    request.scope = new RequestScope(this.#options.limits.deadline, this.#shutdown.signal);
    reply.raw.once('close', () => this.#ended(request, reply));
    reply.header('x-request-id', request.id);
    this.#guard.setHeaders(request, reply);
    this.#guard.checkSource(request);
    if (this.#guard.preflight(request, reply)) return reply;
    const { access, work } = request.routeOptions.config;
    if (access !== undefined) this.#guard.checkAccess(request, access);
    const bytes = this.#guard.bodyBytes(request);
    if (work) request.scope.ticket = this.#queue.enter(bytes);
    return undefined;
  }

  #refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    // A work that was stopped says ABORTED; why it was stopped is what the client wants to know.
    const scope: RequestScope | undefined = request.scope;
    const aborted = scope?.signal.aborted && (error as { code?: unknown }).code === 'ABORTED';
    const { status, body, retryAfter } = httpError(aborted ? scope.signal.reason : error);
    // An address that cannot be read is refused before any hook runs.
    if (scope === undefined) this.#guard.setHeaders(request, reply);
    if (status === 500) this.#log.fault(error, request.id);
    this.#metrics.rejected(body.error.code);
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (!request.raw.complete && !(bodyLength(request) <= DISCARDED_BODY))
      reply.header('connection', 'close');
    if (scope !== undefined) scope.code = body.error.code;
    reply.code(status).type('application/json; charset=utf-8').send(body);
  }

  #ended(request: FastifyRequest, reply: FastifyReply): void {
    const answered = reply.raw.writableFinished;
    request.scope.end(answered);
    const { url: route } = request.routeOptions;
    const line = {
      request: request.id,
      method: request.method,
      route: route ?? 'none',
      status: reply.raw.statusCode,
      milliseconds: Math.round((performance.now() - request.scope.start) * 1000) / 1000,
    };
    // Without a route the method is whatever a client made up.
    this.#metrics.request(
      line.route,
      route === undefined ? 'none' : line.method,
      line.status,
      line.milliseconds,
    );
    // The head of a stream went out before it was known that its connection would not be kept.
    if (this.#closing) setImmediate(() => this.#app.server.closeIdleConnections());
    const { code } = request.scope;
    this.#log.request({
      ...line,
      ...(!answered && { aborted: true }),
      ...(code !== undefined && { code }),
      ...(this.#options.logContents && { contents: { url: request.url, body: request.body } }),
    });
  }
}

/** The length that a request's body claims to have; NaN where only its end will tell. */
function bodyLength({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Number.NaN;
}

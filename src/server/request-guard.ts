import type { FastifyReply, FastifyRequest } from 'fastify';
import { GranuleError } from '../errors.js';
import type { SettledOptions } from './server-options.js';
import { type Access, TokenCheck } from './tokens.js';

/** Nothing is loaded from elsewhere, nothing runs that lies in the document itself, and nobody may frame the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};

/** Methods that a page elsewhere may use, where its origin is allowed. */
const METHODS = 'GET, POST, PUT, DELETE';

/** Who may ask for what: checks each request before anything of its body is read. */
export class RequestGuard {
  readonly #options: SettledOptions;
  readonly #tokens: TokenCheck | undefined;
  readonly #hosts: ReadonlySet<string> | undefined;
  readonly #origins: ReadonlySet<string>;

  constructor(options: SettledOptions) {
    this.#options = options;
    this.#tokens = options.tokens && new TokenCheck(options.tokens);
    // A page of an evil name that resolves to 127.0.0.1 gives that name. Beyond loopback a token stands in its way.
    const known = options.loopback ? ['localhost', '127.0.0.1', '[::1]', options.host] : [];
    const hosts = [...known, ...options.allowedHosts];
    this.#hosts = hosts.length === 0 ? undefined : new Set(hosts.map((host) => host.toLowerCase()));
    this.#origins = new Set(options.allowedOrigins);
  }

  /** Sets the headers that every reply carries. */
  setHeaders(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers(HEADERS);
    const { origin } = request.headers;
    if (this.#origins.size > 0) reply.header('vary', 'Origin');
    if (origin !== undefined && this.#origins.has(origin)) {
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Retry-After',
        'cross-origin-resource-policy': 'cross-origin',
      });
    }
  }

  /**
   * Checks the name that the client used, and where a browser's request comes from.
   *
   * @throws GranuleError `FORBIDDEN`
   */
  checkSource({ headers }: FastifyRequest): void {
    const { host = '', origin } = headers;
    const name = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1]?.toLowerCase();
    if (this.#hosts !== undefined && (name === undefined || !this.#hosts.has(name))) {
      throw new GranuleError('FORBIDDEN', 'the server does not go by the name of the Host header');
    }
    if (origin !== undefined) {
      const own = URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
      if (!own && !this.#origins.has(origin)) {
        throw new GranuleError('FORBIDDEN', 'web pages of other origins may not use this server');
      }
    } else if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
      throw new GranuleError('FORBIDDEN', 'web pages of other origins may not use this server');
    }
  }

  /**
   * Checks the token.
   *
   * @throws GranuleError `UNAUTHORIZED` without a valid one, `FORBIDDEN` where it does not grant `needed`
   */
  checkAccess({ headers }: FastifyRequest, needed: Access): void {
    if (this.#tokens === undefined) {
      if (needed === 'read') return;
      throw new GranuleError('FORBIDDEN', 'a server without a token file only reads');
    }
    const granted = this.#tokens.accessOf(headers.authorization);
    if (granted === undefined) {
      throw new GranuleError('UNAUTHORIZED', 'a token is needed: Authorization: Bearer <token>');
    }
    if (needed === 'write' && granted !== 'write') {
      throw new GranuleError('FORBIDDEN', 'this token only grants reading');
    }
  }

  /**
   * Checks what can be said of a body before it is read.
   *
   * @returns the bytes that it may take
   * @throws GranuleError `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`
   */
  bodyBytes({ headers }: FastifyRequest): number {
    const { bodyBytes } = this.#options.limits;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new GranuleError('UNSUPPORTED_MEDIA_TYPE', 'bodies must not be compressed');
    }
    if (headers['content-length'] === undefined)
      return headers['transfer-encoding'] === undefined ? 0 : bodyBytes;
    const length = Number(headers['content-length']);
    if (length > bodyBytes) {
      throw new GranuleError('PAYLOAD_TOO_LARGE', `the body has ${length} bytes, more than ${bodyBytes}`);
    }
    return length;
  }

  /** Answers a browser that asks what a page of another origin may do. */
  preflight(request: FastifyRequest, reply: FastifyReply): boolean {
    const { origin, 'access-control-request-method': method } = request.headers;
    if (request.method !== 'OPTIONS' || method === undefined || !this.#origins.has(origin ?? ''))
      return false;
    reply
      .code(204)
      .headers({
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': 'Authorization, Content-Type',
        'access-control-max-age': '600',
      })
      .send();
    return true;
  }
}
